"""A file of settings such as ``.env``: its text, whatever editor saved it, and the variables in it."""

from __future__ import annotations

import codecs
import io
import logging
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from dotenv import dotenv_values

from ringfence.core.errors import SettingsError
from ringfence.core.state.private_files import warn_if_open_to_others

ENV_FILE = ".env"

Variables = Mapping[str, str | None]
"""Variables by name, as they stand in the environment or in a file."""

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""How a text begins that says in which encoding it is; as PowerShell writes UTF-16. The longer ones come first."""


def read_variables(path: Path = Path(ENV_FILE), *, quietly: bool = False) -> Variables:
    """Return the variables of the file; none where there is no file. Raises SettingsError where it is no readable text.

    Warns once of a line that makes no sense, and of a file that is open to others; ``quietly`` leaves that for later.
    """
    if not path.is_file():
        return {}

    try:
        text = _decode(path.read_bytes(), path)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.", "Check its rights.") from error
    if quietly:
        return _parse_quietly(text)
    warn_if_open_to_others(path.resolve(), f"the settings file {path.name}")
    return _parse(text)


@lru_cache(maxsize=64)
def _parse(text: str) -> Variables:
    return dotenv_values(stream=io.StringIO(text))


def _parse_quietly(text: str) -> Variables:
    log = logging.getLogger("dotenv.main")
    log.disabled = True
    try:
        return dotenv_values(stream=io.StringIO(text))
    finally:
        log.disabled = False


def _decode(content: bytes, path: Path) -> str:
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{path} is no UTF-8 text: line {line} is not.", "Save it as UTF-8.") from None
    if "\0" in text:
        raise SettingsError(f"{path} holds null bytes, as UTF-16 without its mark has them.", "Save it as UTF-8.")
    return text
