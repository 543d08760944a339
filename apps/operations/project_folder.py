"""A project of set-up in a folder of the user's: written again and again, and never over what somebody else put there.

A file beside the others holds the digest of each, so that the next time tells its own from those that a person edited.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from ringfence.core.errors import FileError

MARK = ".ringfence-project.json"
"""The file that says which files of the folder are ours."""


def write_project(folder: Path, crm: str, files: Mapping[str, str]) -> list[Path]:
    """Write the files (name below the folder -> text), take away those of an earlier project, and return them.

    Raises FileError, before anything is written, for a folder that holds other people's files, a file of ours that
    somebody has edited, and a folder that cannot be written.
    """
    try:
        earlier = _earlier(folder, crm)
        _check(folder, files, earlier)
        for name in earlier.keys() - files.keys():
            (folder / name).unlink(missing_ok=True)
        for name, text in files.items():
            _write(folder / name, text)
        digests = {name: _digest(text.encode()) for name, text in files.items()}
        _write(folder / MARK, json.dumps({"made_by": "ringfence", "crm": crm, "files": digests}, indent=2) + "\n")
    except OSError as error:
        raise FileError(f"{folder} cannot be written: {error.strerror}.", "Name another folder.") from error

    return [folder / name for name in files]


def _earlier(folder: Path, crm: str) -> dict[str, str]:
    """Return the digests of the files that are ours, by name; none for a new or empty folder."""
    mark = folder / MARK
    if not mark.exists():
        if folder.exists() and any(folder.iterdir()):
            raise FileError(f"{folder} is not empty, and what is in it is not ours.", "Name a new or empty folder.")
        return {}

    try:
        held = json.loads(mark.read_text("utf-8"))
        owner, files = str(held["crm"]), {str(name): str(digest) for name, digest in held["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileError(f"{mark} cannot be read.", "Name a new or empty folder.") from error

    if owner != crm:
        raise FileError(f"{folder} holds the project for {owner}, not for {crm}.", "Name another folder.")
    # The names come from a file that anybody may have edited; they must not lead out of the folder.
    root = folder.resolve()
    return {name: digest for name, digest in files.items() if (folder / name).resolve().is_relative_to(root)}


def _check(folder: Path, files: Mapping[str, str], earlier: Mapping[str, str]) -> None:
    for name in sorted({*files, *earlier}):
        path = folder / name
        if not path.exists():
            continue
        held = path.read_bytes()
        if _digest(held) != earlier.get(name) and held != files.get(name, "").encode():
            raise FileError(
                f"{path} is there already, with another content than ringfence gave it.",
                "Move it away, or name a new or empty folder.",
            )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
