"""YAML files that a user of the sandbox writes: their text, and the table at their top."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ringfence.core.errors import FileError, FixError


def read_text(path: Path, what: str, wrong: type[FixError]) -> str:
    """Return the text of a file; `what` names its kind in errors.

    Raises FileError for a file that cannot be read, and `wrong` for one that is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise FileError(f"The {what} {path} cannot be read: {error.strerror}.", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise wrong(f"The {what} {path} is not UTF-8 text.", "Save the file as UTF-8.") from error


def read_table(text: str, what: str, wrong: type[FixError], example: str) -> dict[str, Any]:
    """Return the keys and values of YAML text; `what` names it in errors.

    Raises `wrong` for text that is not YAML or holds no table, with `example` as its remedy.
    """
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise wrong(f"The {what} is not YAML: {problem}.", "Check the indentation.") from error

    if not isinstance(content, dict):
        raise wrong(f"The {what} is empty or not a table of keys.", example)
    return content
