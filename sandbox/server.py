"""All stand-ins together: a loopback server for each, over one set of people and one clock."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from threading import Thread
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.types import ASGIApp

from .broken_wire import Connection
from .clock import SandboxClock
from .dataset import people
from .fault_file import refuse_unknown_paths
from .faults import Faults, FaultsError
from .org_schema import org_model
from .plugin import installed_services
from .service import Service, ServiceContext
from .traits import OrgFile

HOST = "127.0.0.1"
READY_WITHIN_S = 30.0


class SandboxError(Exception):
    """A server did not start within the time limit; the message names its address."""


class Sandbox:
    """Every stand-in on loopback, the CRMs filled with the same `contacts` people (leads among them).

    `ports` are in the order of the installed plugins, 0 for a free one; all are free ones by default. With `bare` the
    companion fields do not exist yet. `now` (aware) is the time that the shared clock starts from; without it the real
    time. `faults` are what the services do wrong, nothing by default, and `org` what the accounts are like: the usual.
    With `lookups` the providers other than Twilio are served too.

    `services` holds the stand-ins by name. For short, `sandbox.salesforce` is the state of the service `salesforce`
    and `sandbox.salesforce_url` its address, and so for every other name.
    """

    def __init__(
        self,
        *,
        contacts: int = 3000,
        seed: int = 7,
        ports: Sequence[int] = (),
        bare: bool = False,
        now: datetime | None = None,
        faults: Faults | None = None,
        org: OrgFile | None = None,
        lookups: bool = False,
    ) -> None:
        self.clock = SandboxClock(now)
        crowd = list(people(contacts, seed=seed, now=self.clock.now()))
        context = ServiceContext(people=crowd, clock=self.clock, companions=not bare, seed=seed)
        self.org = org or org_model()()
        self.services = {
            name: service(replace(context, traits=self.org.section(name)))
            for name, service in installed_services(lookups=lookups).items()
        }

        wanted = ports or [0] * len(self.services)
        self._servers = {
            name: LoopbackServer(service.app(), port)
            for (name, service), port in zip(self.services.items(), wanted, strict=True)
        }
        self._faults: Faults | None = None
        self.faults = faults

    def __getattr__(self, name: str) -> Any:
        """Return the state of a service by its name, or its address by `NAME_url`."""
        services: dict[str, Service] = self.__dict__.get("services", {})
        if name in services:
            return services[name].state
        if name.removesuffix("_url") in services:
            return self.url(name.removesuffix("_url"))
        raise AttributeError(f"the sandbox has no {name!r}; its services: {', '.join(services)}")

    @property
    def faults(self) -> Faults | None:
        """The faults of all services; None: there are none. Setting it starts every count again.

        The previous faults end: their settings are restored, but records that they changed stay changed. Setting it
        raises FaultsError for something that a service cannot do, and then no service has faults.
        """
        return self._faults

    @faults.setter
    def faults(self, faults: Faults | None) -> None:
        self._faults = None
        for service in self.services.values():
            service.set_faults(None)

        if faults is not None:
            refuse_unknown_paths(faults)
            self._begin(faults)
            self._faults = faults

    def _begin(self, faults: Faults) -> None:
        try:
            for name, service in self.services.items():
                service.set_faults(faults if faults.concern(name) else None)
        except FaultsError:
            for service in self.services.values():
                service.set_faults(None)
            raise

    def url(self, service: str) -> str:
        """Return the address of a service, with its real port once the sandbox was started."""
        return self._servers[service].url

    def settings(self) -> dict[str, str]:
        """Return the environment variables that point ringfence at this sandbox; which lookups to buy is left open."""
        settings: dict[str, str] = {}
        for name, service in self.services.items():
            settings |= service.settings(self.url(name))

        return settings

    def start(self) -> None:
        """Start the servers and return when all of them answer. Raises SandboxError, or OSError for a taken port."""
        try:
            for server in self._servers.values():
                server.start()
            for server in self._servers.values():
                server.await_ready()
        except BaseException:
            self.stop()
            raise

        for name, service in self.services.items():
            service.served_at(self.url(name))

    def stop(self) -> None:
        """Stop the servers and wait for them; may be called twice."""
        for server in self._servers.values():
            server.ask_to_stop()
        for server in self._servers.values():
            server.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class LoopbackServer:
    """One ASGI application on 127.0.0.1, in a thread of its own.

    The steps are apart so that several servers come up and go down together: start, await_ready; ask_to_stop, join.
    """

    def __init__(self, app: ASGIApp, port: int = 0) -> None:
        config = uvicorn.Config(
            app,
            http=Connection,
            log_level="warning",
            access_log=False,
            lifespan="off",
            # Every stand-in sends the date of the sandbox clock; a second, real one would contradict it.
            date_header=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        )

        self._config = config
        self._wanted_port = port
        self._port = port
        self._server: uvicorn.Server | None = None
        self._thread: Thread | None = None
        self._socket: socket.socket | None = None

    @property
    def url(self) -> str:
        """The address, with the real port once it was started."""
        return f"http://{HOST}:{self._port}"

    def start(self) -> None:
        """Bind the port and start to serve in a thread. Raises OSError for a port that is in use."""
        self._socket = _listening(self._wanted_port)
        self._port = self._socket.getsockname()[1]
        self._server = uvicorn.Server(self._config)
        self._thread = Thread(
            target=self._server.run, args=([self._socket],), name=f"sandbox {self._port}", daemon=True
        )
        self._thread.start()

    def await_ready(self) -> None:
        """Wait until the server answers. Raises SandboxError when it does not within 30 seconds."""
        deadline = time.monotonic() + READY_WITHIN_S
        while self._server is not None and not self._server.started:
            if self._thread is None or not self._thread.is_alive() or time.monotonic() > deadline:
                raise SandboxError(f"the sandbox server at {self.url} did not start")
            time.sleep(0.005)

    def ask_to_stop(self) -> None:
        """Ask the server to finish its open requests and stop; returns at once."""
        if self._server is not None:
            self._server.should_exit = True

    def join(self) -> None:
        """Wait until the server has stopped, and close the socket."""
        if self._thread is not None:
            self._thread.join()
        if self._socket is not None:
            self._socket.close()
        self._server = self._thread = self._socket = None


def _listening(port: int) -> socket.socket:
    # The protocol is named because asyncio switches Nagle's algorithm off for sockets that say IPPROTO_TCP only; with
    # it every answer on a kept connection waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener
