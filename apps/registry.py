"""Which CRMs and lookup providers are installed: whatever registers under our entry-point groups, and users' own files.

A user's own provider is a file ``providers/NAME.yaml`` in the folder of RINGFENCE_MAPPINGS (docs/contract.md, section
6). It wins over an installed one of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from ringfence.connectors.lookups.declared.file import parse_provider_file
from ringfence.connectors.lookups.declared.plugin import make_plugin
from ringfence.core.config.spelling import did_you_mean
from ringfence.core.errors import FileError, MappingError, UsageError
from ringfence.core.ports.crm import CrmPlugin
from ringfence.core.ports.lookup import LookupPlugin

from .environment import present_variables

MAPPINGS = "RINGFENCE_MAPPINGS"
_PROVIDERS = "providers"


@cache
def crm_plugins() -> dict[str, CrmPlugin]:
    """Return CRM name -> plugin, sorted by name."""
    found = {point.name: point.load() for point in entry_points(group="ringfence.crms")}
    return dict(sorted(found.items()))


def lookup_plugins() -> Mapping[str, LookupPlugin]:
    """Return provider name -> plugin, sorted by name. Raises FileError or MappingError for a file of the user's."""
    folder = present_variables().get(MAPPINGS)
    return _with_own((Path(folder) / _PROVIDERS).absolute()) if folder else _installed()


def find_crm(name: str) -> CrmPlugin:
    """Return the plugin of a CRM. Raises UsageError that names those there are."""
    plugins = crm_plugins()
    if name not in plugins:
        raise UsageError(f"There is no CRM {name!r}{did_you_mean(name, plugins)}.", f"There are: {', '.join(plugins)}.")
    return plugins[name]


def group_of(name: str) -> str:
    """Return the group of settings of a CRM or provider, in lower case: ``-`` is ``_`` there."""
    return name.replace("-", "_")


@cache
def _installed() -> dict[str, LookupPlugin]:
    found = {point.name: point.load() for point in entry_points(group="ringfence.lookups")}
    return dict(sorted(found.items()))


@cache
def _with_own(folder: Path) -> dict[str, LookupPlugin]:
    """Return the installed providers and those of a folder, named in full; its files are read once a process."""
    own = [_read_own(file) for file in sorted(folder.glob("*.yaml"))]
    return dict(sorted({**_installed(), **{plugin.name: plugin for plugin in own}}.items()))


def _read_own(file: Path) -> LookupPlugin:
    try:
        declared = parse_provider_file(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"The lookup provider {file} cannot be read.", "Check its path and encoding.") from error
    if declared.name != file.stem:
        raise MappingError(
            f"The lookup provider {file} is called {declared.name!r} inside.",
            f"Rename the file to {declared.name}.yaml.",
        )
    if declared.name in crm_plugins():
        raise MappingError(f"The lookup provider {file} has the name of a CRM.", "Give it another name.")
    return make_plugin(declared)
