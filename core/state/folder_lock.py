"""Locks that the system gives back when a process dies: on the folder of a state store, and on a file at work."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform != "win32":
    import fcntl


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold an exclusive lock on the folder for the block; other processes that ask for it wait.

    The system releases it when the process dies. Where the system has no such locks (Windows, some network drives)
    nobody waits.
    """
    with contextlib.ExitStack() as held:
        if sys.platform != "win32":
            with contextlib.suppress(OSError):
                handle = os.open(folder, os.O_RDONLY)
                held.callback(os.close, handle)
                fcntl.flock(handle, fcntl.LOCK_EX)

        yield


def hold_file(handle: int) -> bool:
    """Lock an open file until it is closed; return False where another process holds it, or nothing can be locked."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    return False
