"""Glassine on the desktop: crypto, client, view-models and widgets. Only ``desktop.embedded`` may import ``backend``."""
