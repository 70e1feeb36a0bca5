"""The desktop program: crypto, client, view-models, widgets. Only ``desktop.embedded`` may import ``backend``."""

from glassine_version import __version__

__all__ = ["__version__"]
