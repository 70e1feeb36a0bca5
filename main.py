"""Entry point: no argument opens the window, a subcommand does one job and exits.

Must not import PySide6, flask or any heavy package at module level: the command line starts without them.
"""

from __future__ import annotations

import sys


def main(argv: list[str] | None = None) -> int:
    """Run Glassine and return the exit code (see ``desktop.cli`` for their meaning)."""
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments:  # the window starts without the parser of the command line
        from desktop.app import run as run_window

        return run_window([])
    from desktop.cli import run

    return run(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
