"""The desktop program: crypto, client, view-models, widgets. Only ``desktop.embedded`` may import ``backend``."""

__version__ = "0.1.0"
