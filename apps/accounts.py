"""One CRM account among several: whose credentials its file holds, and which settings it shares with the others.

What stands in an account's file wins over the environment and ``.env`` for that account: forty accounts could not
differ otherwise. Credentials are never put together from both, so that a variable which somebody has left in the
environment leads no account into another's CRM.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ringfence.core.errors import SettingsError

from .credentials import find_secrets, warn_of_redirection
from .env_file import Variables, read_variables
from .environment import present_variables
from .registry import crm_plugins, find_crm, group_of, lookup_plugins
from .setting_models import PREFIX, check_variables, setting_models
from .settings import Settings, build_settings

_KEYS = ("ENCRYPTION_KEY", "ENCRYPTION_KEY_COMMAND", "ENCRYPTION_KEY_OLD")
FOR_ALL = frozenset(f"{PREFIX}{name}" for name in ("STATE_URL", *_KEYS, "ACCOUNTS", "LOG"))
"""What accounts of one process share whatever their files say, for it is the process's."""


@dataclass(frozen=True, slots=True)
class CrmAccount:
    """An account: its name, the CRM that it is an account of, and the settings that count for it."""

    name: str
    crm: str
    settings: Settings


def read_account(name: str, file: Path) -> CrmAccount:
    """Return the account of a file. Raises SettingsError that names the file, and the variable, and never a value."""
    own = {variable: value for variable, value in read_variables(file).items() if variable.upper().startswith(PREFIX)}

    with _naming(file):
        _check_own(own)
        own = {variable.upper(): value for variable, value in own.items() if value}
        crm = _find_crm(name, own)
        inherited = _inherit(present_variables(), own)
        warn_of_redirection(own, inherited, setting_models(), file.name)
        settings = build_settings({**inherited, **own})
        if not find_crm(crm).configured(settings.connectors[crm]):
            raise SettingsError(f"the credentials of {crm} are not complete.", ".env.example lists them.")
    return CrmAccount(name, crm, settings)


def read_account_secrets(files: Iterable[Path]) -> list[str]:
    """Return every value of accounts' files that must not be shown; a file that cannot be read has none."""
    secrets: list[str] = []
    for file in files:
        with suppress(SettingsError):  # told by whoever asks for the account
            secrets += find_secrets(read_variables(file, quietly=True), setting_models())
    return secrets


@contextmanager
def _naming(file: Path) -> Iterator[None]:
    try:
        yield
    except SettingsError as error:
        raise SettingsError(f"{file}: {error.message}", error.remedy) from None


def _check_own(own: Variables) -> None:
    check_variables(own)
    for variable, value in own.items():
        if value and variable.upper() in FOR_ALL:
            raise SettingsError(
                f"{variable} is the same for all accounts.", "Set it in the environment or in .env, and not here."
            )


def _find_crm(name: str, own: Variables) -> str:
    """Return the CRM whose credentials an account's file holds. Raises SettingsError for none, and for several."""
    found = {crm: named for crm in crm_plugins() if (named := _credentials(crm) & own.keys())}
    if not found:
        groups = " or ".join(f"{PREFIX}{crm.upper()}__*" for crm in crm_plugins())
        raise SettingsError("it holds the credentials of no CRM.", f"Set {groups} in it; .env.example lists them.")
    if len(found) > 1:
        several = " and ".join(min(named) for named in found.values())
        raise SettingsError(f"it holds the credentials of several CRMs: {several}.", "Give each account its own file.")

    (crm,) = found
    if name.lower() in crm_plugins() and name.lower() != crm:
        raise SettingsError(f"it is called {name}, and holds the credentials of {crm}.", "Rename the file.")
    return crm


def _inherit(shared: Variables, own: Variables) -> Variables:
    """Return the variables that count for an account beside its own.

    Of its CRM these are no credentials; those of a provider are all the shared ones or all its own.
    """
    left_out = set().union(*(_credentials(crm) for crm in crm_plugins()))
    for provider in lookup_plugins():
        credentials = _credentials(provider)
        left_out |= credentials if credentials & own.keys() else set()
    return {name: value for name, value in shared.items() if name.upper() not in left_out | own.keys()}


def _credentials(connector: str) -> set[str]:
    """Return the variables of a connector that have no default: those that say who we are, and to whom."""
    prefix = f"{PREFIX}{group_of(connector).upper()}__"
    fields = setting_models()[prefix].model_fields
    return {f"{prefix}{name}".upper() for name, field in fields.items() if field.get_default() is None}
