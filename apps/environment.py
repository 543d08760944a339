"""The variables of the process: those of the environment and of ``.env``. The only reader of the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ringfence.core.errors import SettingsError

from .env_file import Variables, read_variables
from .log_format import LOG, LogFormat


def environment() -> Mapping[str, str]:
    """Return the variables of the environment alone."""
    return os.environ


def present_variables() -> Variables:
    """Return every variable that is set in the environment or in ``.env``. Raises SettingsError.

    The environment wins, but for what is empty there: that counts as unset.
    """
    environment = {name: value for name, value in os.environ.items() if value}
    own = {name.upper() for name in environment}
    return {name: value for name, value in read_variables().items() if name.upper() not in own} | environment


def read_log_format() -> LogFormat:
    """Return how log lines look, for what is logged before the settings are loaded.

    A value that is none gives text here; :func:`ringfence.apps.settings.load_settings` refuses it.
    """
    try:
        present = {**read_variables(quietly=True), **os.environ}
        values = {name.upper(): value for name, value in present.items()}
        return LogFormat(values.get(LOG) or LogFormat.TEXT)
    except (SettingsError, ValueError):  # the file cannot be read, or the value is none: said by load_settings
        return LogFormat.TEXT
