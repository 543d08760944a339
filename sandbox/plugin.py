"""How a stand-in is found: each one registers a plugin under the entry-point group `ringfence.sandboxes`.

A further service is a folder beside `salesforce/`, `hubspot/` and `twilio/`, and its lines in pyproject.toml. Nothing
else in the sandbox, in the command line or in the faults file knows a service by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .service import Service

GROUP = "ringfence.sandboxes"


@dataclass(frozen=True, slots=True)
class SandboxPlugin:
    """What a stand-in says about itself before it is loaded: every command asks for it, few run the sandbox.

    `name` is its section of a faults file and the name of the connector that talks to it; `vendor` and `product` name
    it to people. `role` is what it stands in for; `lookups` stands for several providers at
    once, and is served where they are asked for. `port` is where `ringfence sandbox` puts it by default; services are
    listed in the order of their ports. `load` imports the rest and returns its Service.
    """

    name: str
    vendor: str
    product: str
    role: Literal["crm", "lookup", "lookups"]
    port: int
    load: Callable[[], type[Service]]


@cache
def installed_plugins(*, lookups: bool = False) -> tuple[SandboxPlugin, ...]:
    """Return the plugin of every stand-in that is installed, in the order of their default ports.

    The one that stands for several lookup providers at once is among them where `lookups` asks for it.
    """
    found: list[SandboxPlugin] = [point.load() for point in entry_points(group=GROUP)]
    wanted = (each for each in found if lookups or each.role != "lookups")
    return tuple(sorted(wanted, key=lambda plugin: plugin.port))


@cache
def installed_services(*, lookups: bool = True) -> dict[str, type[Service]]:
    """Return name -> Service of every stand-in, in the same order; this imports all of them.

    Without `lookups` the one that stands for several lookup providers at once is left out.
    """
    return {plugin.name: plugin.load() for plugin in installed_plugins(lookups=lookups)}
