"""Every error ringfence raises, named by what helps.

::

    RingfenceError
    ├── FixError            exit 2   change the command, a setting or a file
    │   ├── UsageError               the words of the command
    │   ├── SettingsError            an environment variable or .env
    │   ├── MappingError             a mapping or policy file that is wrong by itself
    │   ├── FileError                a file that cannot be read or written
    │   └── StateError               the state store
    ├── RefusedError        exit 3   the CRM or a provider refused us
    │   ├── AuthenticationError      credentials
    │   ├── AccessError              permission or scope
    │   └── SchemaError              a field, object or property that the CRM lacks
    ├── StoppedError        exit 4   stopped early; the next run goes on from there
    │   ├── QuotaError               a limit of the CRM or provider
    │   ├── UnreachableError         no answer, or an outage
    │   ├── BusyError                another run of the same org is under way
    │   └── GuardError               the run would have changed far more than expected
    └── RetryError                   passing fault, raised and caught inside connectors; outside it means a bug

A message names the thing and what happened; the remedy says what to do now. Neither carries a secret or a full number.
"""

from __future__ import annotations


class RingfenceError(Exception):
    """Base of all errors: ``message`` for what happened, ``remedy`` for what to do about it."""

    exit_code = 4

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class FixError(RingfenceError):
    """The user has to change something before the command can work."""

    exit_code = 2


class UsageError(FixError):
    """The command was called with words that do not fit together."""


class SettingsError(FixError):
    """A setting is missing, malformed or unsafe."""


class MappingError(FixError):
    """A mapping or policy file is wrong by itself."""


class FileError(FixError):
    """A file cannot be read, or must not be written."""


class StateError(FixError):
    """The state store cannot be opened or is not ours."""


class RefusedError(RingfenceError):
    """The other side refused us; repeating the call changes nothing."""

    exit_code = 3


class AuthenticationError(RefusedError):
    """The credentials were not accepted."""


class AccessError(RefusedError):
    """A permission or scope is missing."""


class SchemaError(RefusedError):
    """The CRM lacks a field, object or property that the mapping names."""


class StoppedError(RingfenceError):
    """The run ended early in good order; running again goes on from there."""

    exit_code = 4


class QuotaError(StoppedError):
    """A limit of the other side is used up."""


class UnreachableError(StoppedError):
    """The other side does not answer, or answers that it is out of order."""


class BusyError(StoppedError):
    """Another run of the same org is under way."""


class GuardError(StoppedError):
    """The run would have changed far more than expected and stopped before writing."""


class RetryError(RingfenceError):
    """A passing fault. ``wait_s`` is the pause that the other side asked for, in seconds, or None."""

    def __init__(self, message: str, remedy: str = "", *, wait_s: float | None = None) -> None:
        super().__init__(message, remedy)
        self.wait_s = wait_s
