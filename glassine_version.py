"""The version: everything else reads it here (both packages, the wheel, the bundle and what is packed from it)."""

__version__ = "0.1.0"
