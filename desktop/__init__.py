"""The desktop program: crypto, client, view-models, widgets. Only ``desktop.embedded`` may import ``backend``."""
