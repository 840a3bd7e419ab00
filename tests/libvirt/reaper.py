"""Runs a program, and takes leave of its descendants when they die.

libvirt waits until an emulator that it has ended is gone, and its emulators are orphans. Most hosts' init takes leave
of orphans at once; in a container it may take seconds, or never happen.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_CHILD_SUBREAPER = 36


def main(command: list[str]) -> int:
    """The exit status of *command*; SIGTERM is handed on to it."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = os.spawnv(os.P_NOWAIT, command[0], command)
    signal.signal(signal.SIGTERM, lambda number, _: os.kill(child, number))
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
