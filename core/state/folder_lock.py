"""One process at a time where a state store is being made, migrated or given its keys."""

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
def take_turn(folder: Path) -> Iterator[None]:
    """Hold the folder for the block; others that want it wait. The system lets go of it when the process dies.

    Where the system has no such locks (Windows, some network drives) nobody waits.
    """
    with contextlib.ExitStack() as held:
        if sys.platform != "win32":
            with contextlib.suppress(OSError):
                handle = os.open(folder, os.O_RDONLY)
                held.callback(os.close, handle)
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield
