"""The CRM accounts of an agency: many portals behind one address, as HubSpot serves them, and orgs each at its own."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from ringfence.sandbox.clock import SandboxClock
from ringfence.sandbox.dataset import people
from ringfence.sandbox.hubspot.app import hubspot_app
from ringfence.sandbox.hubspot.portal import HubSpotPortal
from ringfence.sandbox.hubspot.traits import HubSpotTraits
from ringfence.sandbox.salesforce.app import salesforce_app
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import LoopbackServer


class Agency:
    """Accounts by their names, running as long as the block lasts, and the files that ringfence finds them by.

    Each holds as many people, other ones in every account, and with ``bare`` no companion fields yet. ``portals`` and
    ``orgs`` are what people see in them.
    """

    def __init__(
        self, portals: Sequence[str] = (), orgs: Sequence[str] = (), *, contacts: int = 20, bare: bool = False
    ) -> None:
        clock = SandboxClock(None)
        crowds = {
            name: (seed, list(people(contacts, seed=seed, now=clock.now())))
            for seed, name in enumerate((*portals, *orgs), start=100)
        }
        self.portals = {
            name: HubSpotPortal(people=crowd, clock=clock, companions=not bare, seed=seed, traits=HubSpotTraits())
            for name, (seed, crowd) in crowds.items()
            if name in portals
        }
        self.orgs = {
            name: SalesforceOrg(people=crowd, clock=clock, companions=not bare, seed=seed)
            for name, (seed, crowd) in crowds.items()
            if name in orgs
        }
        self._hub = LoopbackServer(_ByToken({each.access_token: hubspot_app(each) for each in self.portals.values()}))
        self._servers = {name: LoopbackServer(salesforce_app(org)) for name, org in self.orgs.items()}
        self._running = ExitStack()

    def variables(self, name: str) -> dict[str, str]:
        """Return the settings that an account's file holds."""
        if name in self.portals:
            return {
                "RINGFENCE_HUBSPOT__BASE_URL": self._hub.url,
                "RINGFENCE_HUBSPOT__ACCESS_TOKEN": self.portals[name].access_token,
                "RINGFENCE_HUBSPOT__CLIENT_SECRET": self.portals[name].client_secret,
            }
        return {
            "RINGFENCE_SALESFORCE__INSTANCE_URL": self._servers[name].url,
            "RINGFENCE_SALESFORCE__ACCESS_TOKEN": self.orgs[name].access_token,
        }

    def write_files(self, folder: Path) -> Path:
        """Write a file for each account into a new folder, and return the folder."""
        folder.mkdir()
        for name in (*self.portals, *self.orgs):
            write_account(folder, name, self.variables(name))
        return folder

    def __enter__(self) -> Self:
        servers = [self._hub, *self._servers.values()]
        for server in servers:
            server.start()
            self._running.callback(server.join)
        for server in servers:
            server.await_ready()
            self._running.callback(server.ask_to_stop)
        for name, org in self.orgs.items():
            org.instance_url = self._servers[name].url
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()


def write_account(folder: Path, name: str, variables: dict[str, str]) -> Path:
    """Write the file of an account, for its owner alone, and return it."""
    file = folder / f"{name}.env"
    file.touch(0o600)
    file.write_text("".join(f"{variable}={value}\n" for variable, value in variables.items()), encoding="utf-8")
    return file


class _ByToken:
    """Hands each request to the portal whose token it bears; one that nobody knows is refused by the first."""

    def __init__(self, apps: dict[str, Starlette]) -> None:
        self._apps = apps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        token = headers.get(b"authorization", b"").decode().partition(" ")[2]
        app: ASGIApp = self._apps.get(token) or next(iter(self._apps.values()), Starlette())
        await app(scope, receive, send)
