"""The composition root: settings in, wired objects out. Nothing else builds a CRM, a provider or a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ringfence.core.clock import SystemClock
from ringfence.core.config.mapping import CrmMapping, resolve
from ringfence.core.config.spelling import did_you_mean
from ringfence.core.errors import ErrorCode, SettingsError, UsageError
from ringfence.core.model.policy import Policy
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.crm import Crm, CrmPlugin
from ringfence.core.ports.jobs import JobEngine
from ringfence.core.ports.lookup import Lookup
from ringfence.core.ports.service_address import ServiceAddress
from ringfence.core.ports.services import Clock, Services, no_hurry
from ringfence.core.state.engine import is_there
from ringfence.core.state.jobs.engine import StateJobEngine
from ringfence.core.state.limits_of_state import LimitsOfState
from ringfence.core.state.postgres import is_postgres
from ringfence.core.state.store import Store, open_store

from .accounts import CrmAccount, read_account, read_account_secrets
from .config_files import find_mapping, find_policy
from .key_command import print_key
from .logs import hide_secrets
from .registry import crm_plugins, find_crm, group_of, lookup_plugins
from .settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class Connection:
    """A CRM wired to its mapping; no call has been made yet. ``account`` is what it is called in commands and JSON."""

    crm: Crm
    shapes: Mapping[str, ObjectShape]
    account: str


@dataclass(frozen=True, slots=True)
class Wiring:
    """Builds what an operation needs from the settings. Nothing is called or opened before it is asked for here.

    ``account`` is the CRM account that it is for, whose settings are then ``settings``; None: for none in particular.
    ``patience`` tells how long an answer may be waited for: see :class:`ringfence.core.ports.services.Services`.
    """

    settings: Settings
    clock: Clock = field(default_factory=SystemClock)
    patience: Callable[[], float] = no_hurry
    account: CrmAccount | None = None
    limits: LimitsOfState = field(default=None)  # type: ignore[assignment]  # made below where none are given

    def __post_init__(self) -> None:
        """Make the limits of calls by the clock; a wiring that is made from this one has the same."""
        if self.limits is None:
            object.__setattr__(self, "limits", LimitsOfState(self.clock))

    def open_state(self) -> Store:
        """Return the open state store, and keep the limits of calls in it. The caller closes it.

        Raises SettingsError or StateError.
        """
        store = open_store(self.settings.state_url, self.encryption_key(), self.settings.encryption_key_old)
        self.limits.share(store)
        return store

    def encryption_key(self) -> str | None:
        """Return the encryption key that is set, or that the command prints; None where the file beside has it.

        Raises SettingsError where the command fails.
        """
        if (command := self.settings.encryption_key_command) is None:
            return self.settings.encryption_key
        key = print_key(command)
        hide_secrets([*self.secrets(), key])
        return key

    def open_state_if_there(self) -> Store | None:
        """Return the open state store, or None where there is none yet: a question makes no file. See `open_state`."""
        return self.open_state() if is_there(self.settings.state_url) else None

    def open_jobs(self, store: Store) -> JobEngine:
        """Return the engine that carries the jobs of an open state store out; nothing of it has to be closed.

        Raises SettingsError where the engine for PostgreSQL is not installed.
        """
        if not is_postgres(store.engine.url):
            return StateJobEngine(store, self.clock)
        try:
            from ringfence.connectors.procrastinate.engine import ProcrastinateEngine  # noqa: PLC0415 - an extra
        except ModuleNotFoundError as error:
            raise SettingsError(
                f"The engine for jobs on PostgreSQL is not installed ({error.name}).",
                code=ErrorCode.STATE_DRIVER_MISSING,
            ) from error
        return ProcrastinateEngine(store, self.clock)

    def accounts(self) -> list[str]:
        """Return the names of the accounts that this process has: one for each file of RINGFENCE_ACCOUNTS.

        Where that is not set, an account is called as its CRM: those whose credentials are set. Raises SettingsError
        for half-set ones.
        """
        if self.settings.account_files:
            return list(self.settings.account_files)
        return [name for name, plugin in crm_plugins().items() if plugin.configured(self.settings.connectors[name])]

    def of(self, name: str) -> Wiring:
        """Return the wiring for an account: its own settings go before those that all share.

        Where no accounts are set, the name is that of a CRM, with or without credentials. Raises UsageError that names
        those there are, and SettingsError for an account whose file is wrong.
        """
        if self.account is not None and self.account.name == name:
            return self

        files = self.settings.account_files
        if not files:
            return self.of_crm(find_crm(name).name)
        if name not in files:
            there = ", ".join(files)
            raise UsageError(
                f"There is no account {name!r}{did_you_mean(name, files)}.", f"RINGFENCE_ACCOUNTS has: {there}."
            )
        account = read_account(name, files[name])
        return replace(self, settings=account.settings, account=account)

    @property
    def name(self) -> str:
        """Return what the account is called that the wiring is for; empty where it is for none in particular."""
        return self.account.name if self.account else ""

    def of_crm(self, crm: str) -> Wiring:
        """Return the wiring for a CRM by the settings that all accounts share, whichever account it is."""
        return replace(self, account=CrmAccount(crm, crm, self.settings))

    def secrets(self) -> list[str]:
        """Return every value that must not be shown, those of all accounts included."""
        return [*self.settings.secrets(), *read_account_secrets(self.settings.account_files.values())]

    def connect(
        self, name: str, mapping_file: Path | None = None, shapes: Mapping[str, ObjectShape] | None = None
    ) -> Connection:
        """Return an account's CRM under its mapping, which ``mapping_file`` replaces; the caller closes it.

        ``shapes`` are those of the mapping where they are known already.

        Raises what :meth:`of` does, SettingsError without credentials, FileError or MappingError.
        """
        wiring, plugin = self._plugged(name)
        settings = wiring.settings.connectors[plugin.name]
        if not plugin.configured(settings):
            raise SettingsError(
                f"No credentials for {name} are set.", f"Set RINGFENCE_{name.upper()}__*; .env.example lists them."
            )

        shapes = shapes if shapes is not None else wiring.shapes(name, mapping_file)
        return Connection(plugin.connect(settings, shapes, Services(self.clock, limits=self.limits)), shapes, name)

    def shapes(self, name: str, file: Path | None = None) -> dict[str, ObjectShape]:
        """Return the shapes of an account's objects under its mapping. Raises what :meth:`mapping` does."""
        wiring, plugin = self._plugged(name)
        return resolve(wiring.mapping(name, file), plugin.companion_name, wiring.settings.default_region)

    def project(self, name: str, mapping_file: Path | None = None, api: str = "") -> Mapping[str, str]:
        """Return all that setup creates as a project to deploy, file name -> text; credentials are not needed.

        ``api`` describes the service as :class:`ServiceAddress` says. Raises as :meth:`shapes` does.
        """
        wiring, plugin = self._plugged(name)
        service = ServiceAddress(wiring.settings.serve.public_url or "", api)
        return plugin.project(wiring.settings.connectors[plugin.name], wiring.shapes(name, mapping_file), service)

    def mapping(self, name: str, file: Path | None = None) -> CrmMapping:
        """Return the mapping of an account: the given file, else that of RINGFENCE_MAPPINGS, else the built-in one.

        Raises what :meth:`of` does, SettingsError where that is no folder, FileError, and MappingError for a mapping
        that is wrong or of another CRM.
        """
        wiring, plugin = self._plugged(name)
        return find_mapping(wiring.settings.mappings, name, plugin.name, file)

    def _plugged(self, name: str) -> tuple[Wiring, CrmPlugin]:
        """Return the wiring of an account, and what its CRM is."""
        wiring = self.of(name)
        return wiring, find_crm(wiring.account.crm if wiring.account else name)

    def policy(self, name: str | None = None) -> Policy:
        """Return a policy by preset name or file; None stands for the configured one.

        Raises what :func:`ringfence.apps.config_files.find_policy` does.
        """
        return find_policy(self.settings.mappings, name or self.settings.policy)

    def lookups(self) -> list[Lookup]:
        """Return the configured providers in order; the caller closes them.

        Raises SettingsError for one that is unknown or has no credentials.
        """
        return [self.lookup(name) for name in self.settings.lookup.providers]

    def lookup(self, name: str) -> Lookup:
        """Return a provider, in use or not; the caller closes it. Raises as :meth:`lookups`."""
        plugins = lookup_plugins()
        if name not in plugins:
            raise SettingsError(
                f"{name!r} is no lookup provider{did_you_mean(name, plugins)}: see RINGFENCE_LOOKUP__PROVIDERS.",
                f"There are: {', '.join(plugins)}.",
            )

        settings = self.settings.connectors[name]
        if not plugins[name].configured(settings):
            raise SettingsError(
                f"The provider {name} has no credentials.",
                f"Set RINGFENCE_{group_of(name).upper()}__*, or take it off the list.",
            )
        return plugins[name].connect(settings, Services(self.clock, patience=self.patience, limits=self.limits))


def wire(patience: Callable[[], float] = no_hurry) -> Wiring:
    """Return the wiring for the settings of this process. Raises SettingsError."""
    return Wiring(load_settings(), patience=patience)
