"""The result file: written beside its final place until it is complete, and never over the input."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from ringfence.core.errors import FileError


def default_target(source: Path) -> Path:
    """Return where the result goes by default: that of ``contacts.csv`` to ``contacts.screened.csv``."""
    return source.with_name(f"{source.stem}.screened{source.suffix}")


def check_target(source: Path, target: Path, *, force: bool) -> None:
    """Raise FileError when the target is the source (by any path or link), lacks a folder, or exists unforced."""
    if not source.is_file():
        raise FileError(f"{source} is not a file.", "Check the name.")
    if target.exists() and target.samefile(source):
        raise FileError(f"{target} is the input itself.", "Choose another name for the result.")
    if target.is_dir():
        raise FileError(f"{target} is a folder.", "Name a file in it.")
    if not target.parent.is_dir():
        raise FileError(f"The folder {target.parent} does not exist.", "Create it, or choose another place.")
    if not force and (target.exists() or target.is_symlink()):
        raise FileError(f"{target} exists already.", "Choose another name, or say --force to replace it.")


@contextmanager
def staged(source: Path, target: Path, *, force: bool) -> Iterator[Path]:
    """Yield a temporary path beside the target, and move what was written there to the target when the block ends.

    Where the block raises, an interrupt and SIGTERM included, the target stays as it was and nothing is left over. The
    result gets the access rights of the source. Raises FileError when the disk refuses, or as ``check_target`` does.
    """
    check_target(source, target, force=force)
    with _ending_in_order(), _part(source, target, force=force) as stage:
        yield stage


@contextmanager
def _part(source: Path, target: Path, *, force: bool) -> Iterator[Path]:
    try:
        handle, name = tempfile.mkstemp(
            prefix=f".{target.stem[:60]}.", suffix=".part" + target.suffix, dir=target.parent
        )
    except OSError as error:
        raise _unwritable(target, error) from error

    os.close(handle)
    stage = Path(name)
    try:
        yield stage
        shutil.copymode(source, stage)
        check_target(source, target, force=force)
        stage.replace(target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        stage.unlink(missing_ok=True)


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, with exit code 143, so that what it has opened is taken away again.

    Where somebody else answers SIGTERM already, that stays so.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _unwritable(target: Path, error: OSError) -> FileError:
    return FileError(f"{target} cannot be written: {error.strerror or error}.", "Check the disk and its access.")
