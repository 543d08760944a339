"""Which CRMs and lookup providers are installed: whatever registers under our entry-point groups."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from ringfence.core.config.spelling import did_you_mean
from ringfence.core.errors import UsageError
from ringfence.core.ports.crm import CrmPlugin
from ringfence.core.ports.lookup import LookupPlugin


@cache
def crm_plugins() -> dict[str, CrmPlugin]:
    """Return CRM name -> plugin, sorted by name."""
    found = {point.name: point.load() for point in entry_points(group="ringfence.crms")}
    return dict(sorted(found.items()))


@cache
def lookup_plugins() -> dict[str, LookupPlugin]:
    """Return provider name -> plugin, sorted by name."""
    found = {point.name: point.load() for point in entry_points(group="ringfence.lookups")}
    return dict(sorted(found.items()))


def find_crm(name: str) -> CrmPlugin:
    """Return the plugin of a CRM. Raises UsageError that names those there are."""
    plugins = crm_plugins()
    if name not in plugins:
        raise UsageError(f"There is no CRM {name!r}{did_you_mean(name, plugins)}.", f"There are: {', '.join(plugins)}.")
    return plugins[name]
