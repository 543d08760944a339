"""Files that a command is asked for by name: whole or not at all, for their owner alone, and never over another."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO

from ringfence.core.errors import FileError
from ringfence.core.state.folder_lock import hold_file
from ringfence.core.state.private_files import open_new


def refuse_existing(*paths: Path | None, force: bool = False) -> None:
    """Raise FileError where one of the files is there already, before any work is done for it."""
    for path in paths:
        if path is not None and not force and os.path.lexists(path):
            raise FileError(f"{path} exists already.", "Name a new file, or pass --force.")


@contextmanager
def new_text_file(path: Path, *, force: bool = False) -> Iterator[TextIO]:
    """Yield a file to be written; it gets its name once it is whole. Raises FileError where it cannot be written.

    With ``force`` it takes the place of another.
    """
    with new_file(path, force=force) as binary:
        file = TextIOWrapper(binary, encoding="utf-8", newline="")
        try:
            yield file
        finally:
            file.detach()


@contextmanager
def new_file(path: Path, *, force: bool = False) -> Iterator[BinaryIO]:
    """Yield a file of bytes, as :func:`new_text_file` does one of text.

    What somebody who was killed has left of it is deleted: numbers of people may stand there.
    """
    refuse_existing(path, force=force)
    _clear_leftovers(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(open_new(part), "w+b") as file:
            hold_file(file.fileno())
            yield file
        if not force:
            refuse_existing(path)
        part.replace(path)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror}.", "Name another place.") from error
    finally:
        part.unlink(missing_ok=True)


def _clear_leftovers(path: Path) -> None:
    """Delete unfinished files of that name which no process holds any more."""
    for part in path.parent.glob(f".{escape(path.name)}.*.part"):
        with contextlib.suppress(OSError):
            handle = os.open(part, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
            try:
                if hold_file(handle):
                    part.unlink(missing_ok=True)
            finally:
                os.close(handle)
