"""``pyqemu``: the console script.

It imports nothing before it is ready for Ctrl-C, which may come while the rest is being loaded.
"""

from __future__ import annotations

import os
import sys

INTERRUPTED = 130  # as a shell says it of a program that Ctrl-C ended


def main(arguments: list[str] | None = None) -> int:
    """Run the program; *arguments* are the process's own unless given. Returns the exit status."""
    program = os.path.basename(sys.argv[0])
    if not program.startswith("pyqemu"):
        program = "pyqemu"
    try:
        from pyqemu.cli.command import run

        return run(program, sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
