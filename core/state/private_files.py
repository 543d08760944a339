"""Files that only their owner may read: made so, and warned about where they are not."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import stat
from pathlib import Path

logger = logging.getLogger(__name__)

OWNER_ONLY = 0o600
_OTHERS = 0o077
_ROOT = 0
_warned: set[Path] = set()


def create_empty(path: Path) -> None:
    """Create an empty file for its owner alone, whatever the umask is; one that is there stays as it is.

    Raises OSError where it cannot be made.
    """
    with contextlib.suppress(FileExistsError):
        os.close(open_new(path))


def open_new(path: Path) -> int:
    """Return the descriptor of a new file for its owner alone, to be written and read.

    A link that somebody planted in its place is not followed. Raises FileExistsError where anything has that name, and
    OSError.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), OWNER_ONLY)
    if hasattr(os, "fchmod"):
        os.fchmod(handle, OWNER_ONLY)
    return handle


def create_whole(path: Path, content: bytes) -> None:
    """Create a file for its owner alone that holds all of the content from the moment it is there.

    A process that dies, or a machine that loses its power, leaves no half of it. Raises FileExistsError where there is
    one already, and OSError.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(open_new(part), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _move_to_new(part, path)
    finally:
        part.unlink(missing_ok=True)
    keep_names(path.parent)


def warn_if_open_to_others(path: Path, what: str) -> None:
    """Warn once if others on this machine may read or change the file; ``what`` it is begins the sentence.

    A file that root has handed to a group of ours to read, as containers get their secrets, is meant so. Windows keeps
    rights in another way; nothing is said there.
    """
    if os.name != "posix" or path in _warned:
        return
    with contextlib.suppress(OSError):
        status = path.stat()
        if status.st_mode & (_OTHERS & ~stat.S_IRGRP if _is_handed_over(status) else _OTHERS):
            _warned.add(path)
            logger.warning(
                "%s is open to other users of this machine; `chmod 600` makes it yours alone",
                what,
                extra={"file": path},
            )


def _is_handed_over(status: os.stat_result) -> bool:
    groups = (os.getegid(), *os.getgroups())
    return status.st_uid == _ROOT and os.geteuid() != _ROOT and status.st_gid in groups


def _move_to_new(part: Path, path: Path) -> None:
    """Give a file its name, unless there is one of that name already."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if path.exists():
            raise FileExistsError(path) from None
        part.replace(path)


def keep_names(folder: Path) -> None:
    """Let the names in a folder outlive a loss of power, where the system can be asked for that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
