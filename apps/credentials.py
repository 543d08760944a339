"""What a setting may look like at all, and where a credential may be led to: looked at before anybody uses one.

A token goes into a header, and a header ends at a line break. So a value with one would end in the middle of a request,
in the words of some library, which quote it.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import get_args, get_origin
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from ringfence.core.config.addresses import is_loopback
from ringfence.core.errors import SettingsError
from ringfence.core.state.private_files import warn_if_open_to_others

logger = logging.getLogger(__name__)

_NO_TEXT = frozenset(("Cc", "Zl", "Zp"))
_COPY_AGAIN = "Copy it again, in one line and without anything around it."

Models = Mapping[str, type[BaseModel]]
"""Models of settings by the prefix under which their fields stand in the environment."""


def refuse_unprintable(values: Mapping[str, str | None], models: Models) -> None:
    """Raise SettingsError for a value that holds a control character, or a credential of other than ASCII signs.

    ``values`` are those of the environment and of ``.env``. The error names the variable and never shows its value.
    A list in JSON may stand on several lines.
    """
    fields = _fields(models)
    for name, value in values.items():
        field = fields.get(name.upper())
        if field is None or not value or _is_list(field):
            continue

        if found := next((sign for sign in value if unicodedata.category(sign) in _NO_TEXT), None):
            kind = "a line break" if found in "\r\n\u2028\u2029" else f"a control character (U+{ord(found):04X})"
            raise SettingsError(f"{name.upper()} holds {kind}.", _COPY_AGAIN)
        if _is_credential(name, field) and not value.isascii():
            raise SettingsError(f"{name.upper()} holds a sign that no credential has, such as a quote.", _COPY_AGAIN)


def warn_of_redirection(
    file: Mapping[str, str | None], environment: Mapping[str, str | None], models: Models, name_of_file: str
) -> None:
    """Warn where a file of settings leads a credential of the environment to another host than the usual one.

    Whoever works in a folder that somebody else has filled is told before the credential goes there.
    """
    for prefix, model in models.items():
        secret = any(environment.get(f"{prefix}{name}".upper()) for name in _secrets(model))
        for name, field in model.model_fields.items():
            variable = f"{prefix}{name}".upper()
            address = "" if variable in environment else file.get(variable) or ""
            if secret and _leads_elsewhere(address, field):
                host = urlsplit(address).hostname
                words = "%s in %s sends the credentials of the environment to %s"
                logger.warning(words, variable, name_of_file, host)


def warn_of_open_keys(connectors: Mapping[str, BaseModel]) -> None:
    """Warn of files with a private key that others on this machine may read; ``connectors`` are settings by name."""
    for settings in connectors.values():
        for name in type(settings).model_fields:
            path = getattr(settings, name)
            if name.endswith("key_file") and isinstance(path, Path):
                warn_if_open_to_others(path.resolve(), "the private key file")


def _leads_elsewhere(address: str, field: FieldInfo) -> bool:
    usual = field.default
    if not address or not isinstance(usual, str) or not usual.startswith("https://"):
        return False
    host = urlsplit(address).hostname or ""
    return host != urlsplit(usual).hostname and not is_loopback(host)


def _fields(models: Models) -> dict[str, FieldInfo]:
    """Return every field by the name of its variable."""
    return {
        f"{prefix}{name}".upper(): field
        for prefix, model in models.items()
        for name, field in model.model_fields.items()
    }


def find_secrets(values: Mapping[str, str | None], models: Models) -> list[str]:
    """Return the values among these that must not be shown."""
    fields = _fields(models)
    return [value for name, value in values.items() if value and _is_secret(fields.get(name.upper()))]


def _secrets(model: type[BaseModel]) -> Iterable[str]:
    return (name for name, field in model.model_fields.items() if _is_secret(field))


def _is_secret(field: FieldInfo | None) -> bool:
    return field is not None and SecretStr in (field.annotation, *get_args(field.annotation))


def _is_credential(name: str, field: FieldInfo) -> bool:
    """Return whether a value goes into a header: a secret, or the id that stands beside one."""
    return _is_secret(field) or name.upper().endswith(("_ID", "_SID"))


def _is_list(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is list
