"""The composition root: settings in, wired objects out. Nothing else builds a CRM, a provider or a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from ringfence.core.clock import SystemClock
from ringfence.core.config.mapping import CrmMapping, parse_mapping, read_mapping, resolve
from ringfence.core.config.policy import read_policy
from ringfence.core.config.spelling import did_you_mean
from ringfence.core.errors import MappingError, SettingsError
from ringfence.core.model.policy import Policy
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.crm import Crm
from ringfence.core.ports.lookup import Lookup
from ringfence.core.ports.services import Clock, Services, no_hurry
from ringfence.core.state.engine import is_there
from ringfence.core.state.store import Store, open_store

from .registry import crm_plugins, find_crm, lookup_plugins
from .settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class Connection:
    """A CRM wired to its mapping; no call has been made yet."""

    crm: Crm
    shapes: Mapping[str, ObjectShape]


@dataclass(frozen=True, slots=True)
class Wiring:
    """Builds what an operation needs from the settings. Nothing is called or opened before it is asked for here.

    ``patience`` tells how long an answer may be waited for: see :class:`ringfence.core.ports.services.Services`.
    """

    settings: Settings
    clock: Clock = field(default_factory=SystemClock)
    patience: Callable[[], float] = no_hurry

    def open_state(self) -> Store:
        """Return the open state store. Raises SettingsError or StateError; the caller closes it."""
        return open_store(self.settings.state_url, self.settings.encryption_key)

    def open_state_if_there(self) -> Store | None:
        """Return the open state store, or None where there is none yet: a question makes no file. See `open_state`."""
        return self.open_state() if is_there(self.settings.state_url) else None

    def configured_crms(self) -> list[str]:
        """Return the names of the CRMs whose credentials are set. Raises SettingsError for half-set ones."""
        return [name for name, plugin in crm_plugins().items() if plugin.configured(self.settings.connectors[name])]

    def connect(self, name: str, mapping_file: Path | None = None) -> Connection:
        """Return a CRM under its mapping, which ``mapping_file`` replaces; the caller closes it.

        Raises UsageError for a name that is no CRM, SettingsError without credentials, FileError or MappingError.
        """
        plugin = find_crm(name)
        settings = self.settings.connectors[name]
        if not plugin.configured(settings):
            raise SettingsError(
                f"No credentials for {name} are set.", f"Set RINGFENCE_{name.upper()}__*; .env.example lists them."
            )

        shapes = self.shapes(name, mapping_file)
        return Connection(plugin.connect(settings, shapes, Services(self.clock)), shapes)

    def shapes(self, crm: str, file: Path | None = None) -> dict[str, ObjectShape]:
        """Return the shapes of a CRM's objects under its mapping. Raises UsageError, and what :meth:`mapping` does."""
        plugin = find_crm(crm)
        return resolve(self.mapping(crm, file), plugin.companion_name, self.settings.default_region)

    def project(self, name: str, mapping_file: Path | None = None) -> Mapping[str, str]:
        """Return all that setup creates as a project to deploy, file name -> text; credentials are not needed.

        Raises as :meth:`shapes` does.
        """
        plugin = find_crm(name)
        return plugin.project(self.settings.connectors[name], self.shapes(name, mapping_file))

    def mapping(self, crm: str, file: Path | None = None) -> CrmMapping:
        """Return the mapping of a CRM: the given file, else the one in RINGFENCE_MAPPINGS, else the built-in one.

        Raises SettingsError where that is no folder, FileError, and MappingError for a mapping that is wrong or of
        another CRM.
        """
        file = file or self._configured_mapping(crm)
        if file is not None:
            mapping, where = read_mapping(file), str(file)
        else:
            where = f"{crm}.yaml"
            mapping = parse_mapping(resources.files("ringfence.mappings").joinpath(where).read_text("utf-8"), where)

        if mapping.crm != crm:
            hint = "" if mapping.crm in crm_plugins() else did_you_mean(mapping.crm, crm_plugins())
            raise MappingError(
                f"The mapping {where} is for {mapping.crm!r}, not {crm}{hint}.", "Correct its first line."
            )
        return mapping

    def _configured_mapping(self, crm: str) -> Path | None:
        """Return the file for a CRM in the folder of mappings; None where there is no such folder or file."""
        folder = self.settings.mappings
        if folder is None:
            return None
        if not folder.is_dir():
            raise SettingsError(f"RINGFENCE_MAPPINGS is not a folder: {folder}.", "Create it or unset the variable.")

        candidate = folder / f"{crm}.yaml"
        return candidate if candidate.is_file() else None

    def policy(self, name: str | None = None) -> Policy:
        """Return a policy by preset name or file; None stands for the configured one.

        A preset in the folder of mappings wins over the built-in one of the same name. Raises SettingsError for an
        unknown preset, FileError or MappingError for a file.
        """
        wanted = name or self.settings.policy
        if wanted.endswith((".yaml", ".yml")) or "/" in wanted:
            return read_policy(Path(wanted))

        folders = [self.settings.mappings] if self.settings.mappings else []
        with resources.as_file(resources.files("ringfence.mappings")) as built_in:
            for folder in (*folders, built_in):
                if (file := folder / f"{wanted}.policy.yaml").is_file():
                    return read_policy(file)
            presets = [path.name.removesuffix(".policy.yaml") for path in built_in.glob("*.policy.yaml")]

        raise SettingsError(
            f"There is no policy {wanted!r}{did_you_mean(wanted, presets)}.", f"Presets: {', '.join(presets)}."
        )

    def lookups(self) -> list[Lookup]:
        """Return the configured providers in order; the caller closes them.

        Raises SettingsError for one that is unknown or has no credentials.
        """
        return [self._lookup(name) for name in self.settings.lookup.providers]

    def _lookup(self, name: str) -> Lookup:
        plugins = lookup_plugins()
        if name not in plugins:
            raise SettingsError(
                f"RINGFENCE_LOOKUP__PROVIDERS names {name!r}, which is no provider{did_you_mean(name, plugins)}.",
                f"There are: {', '.join(plugins)}.",
            )

        settings = self.settings.connectors[name]
        if not plugins[name].configured(settings):
            raise SettingsError(
                f"The provider {name} has no credentials.",
                f"Set RINGFENCE_{name.upper()}__*, or take it off the list.",
            )
        return plugins[name].connect(settings, Services(self.clock, patience=self.patience))


def wire(patience: Callable[[], float] = no_hurry) -> Wiring:
    """Return the wiring for the settings of this process. Raises SettingsError."""
    return Wiring(load_settings(), patience=patience)
