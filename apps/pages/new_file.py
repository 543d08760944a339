"""Files that a command is asked for by name: whole or not at all, for their owner alone, and never over another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ringfence.core.errors import FileError
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
    refuse_existing(path, force=force)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(open_new(part), "w", encoding="utf-8", newline="") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror}.", "Name another place.") from error
    finally:
        part.unlink(missing_ok=True)
