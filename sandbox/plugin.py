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
    it to people. `role` is what it stands in for. `port` is where `ringfence sandbox` puts it by default; services are
    listed in the order of their ports. `load` imports the rest and returns its Service.
    """

    name: str
    vendor: str
    product: str
    role: Literal["crm", "lookup"]
    port: int
    load: Callable[[], type[Service]]


@cache
def installed_plugins() -> tuple[SandboxPlugin, ...]:
    """Return the plugin of every stand-in that is installed, in the order of their default ports."""
    found: list[SandboxPlugin] = [point.load() for point in entry_points(group=GROUP)]

    return tuple(sorted(found, key=lambda plugin: plugin.port))


@cache
def installed_services() -> dict[str, type[Service]]:
    """Return name -> Service of every stand-in, in the same order; this imports all of them."""
    return {plugin.name: plugin.load() for plugin in installed_plugins()}
