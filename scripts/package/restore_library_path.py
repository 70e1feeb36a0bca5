"""Runs first in the bundle on Linux: programs that Glassine starts must not load Glassine's libraries.

The bundle's starter sets ``LD_LIBRARY_PATH``. The loader of this process has read it long ago; a file manager or
browser started from here would inherit it.
"""

import os
import sys

if sys.platform.startswith("linux"):
    given = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if given is None:
        os.environ.pop("LD_LIBRARY_PATH", None)
    else:
        os.environ["LD_LIBRARY_PATH"] = given
