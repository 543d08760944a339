"""The folder RINGFENCE_ACCOUNTS: a file ``NAME.env`` for each CRM account, and what a name may be."""

from __future__ import annotations

import re
from pathlib import Path

from ringfence.core.errors import SettingsError

FOLDER = "RINGFENCE_ACCOUNTS"
SUFFIX = ".env"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
"""A name is a queue, a file and a column of the history, which holds forty characters."""

_TAKEN = {
    "default": "the queue of work that is about no account",
    "state": "what stands in the history for work on the state itself",
    "lookup": "what stands in the history for a number that was looked up",
    "screen": "what stands in the history for a file that was screened",
    "schedule": "a file of RINGFENCE_MAPPINGS that is no mapping",
    "events": "a file of RINGFENCE_MAPPINGS that is no mapping",
    "evidence": "a file of RINGFENCE_MAPPINGS that is no mapping",
}
"""Names that mean something else, and what."""


def list_account_files(folder: Path) -> dict[str, Path]:
    """Return the accounts' files by their names, in the order of the names; none is opened.

    Raises SettingsError where the folder is none or holds no such file, and for a name that an account cannot have.
    """
    if not folder.is_dir():
        raise SettingsError(f"{FOLDER} is not a folder: {folder}.", "Create it or unset the variable.")
    try:
        there = sorted(folder.iterdir())
    except OSError as error:
        raise SettingsError(f"{folder} cannot be read: {error.strerror}.", "Check its rights.") from error

    # Editors leave files that begin with a dot or a hash, and a folder may have any name.
    files = [each for each in there if each.suffix == SUFFIX and each.name[0] not in ".#" and not each.is_dir()]
    if not files:
        raise SettingsError(
            f"{FOLDER} holds no account: there is no file NAME.env in {folder}.", "Make one for each CRM account."
        )
    for file in files:
        _check_name(file)
    _refuse_twins(files)
    return {file.stem: file for file in files}


def _check_name(file: Path) -> None:
    if not _NAME.fullmatch(file.stem):
        raise SettingsError(
            f"{file}: no account can have this name.",
            "Rename the file: up to 40 letters, digits, - and _, a letter or digit first.",
        )
    if file.stem.lower() in _TAKEN:
        raise SettingsError(
            f"{file}: no account can be called {file.stem}: it is {_TAKEN[file.stem.lower()]}.", "Rename the file."
        )


def _refuse_twins(files: list[Path]) -> None:
    """Raise SettingsError for names that only differ in upper and lower case: not every system keeps them apart."""
    seen: dict[str, Path] = {}
    for file in files:
        other = seen.setdefault(file.stem.lower(), file)
        if other is not file:
            raise SettingsError(f"{other} and {file} differ in upper and lower case alone.", "Rename one of them.")
