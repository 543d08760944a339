"""All stand-ins together: three loopback servers over one set of people and one clock."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from datetime import datetime
from threading import Thread
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from .broken_wire import Connection
from .clock import SandboxClock
from .dataset import people
from .fault_file import refuse_unknown_paths
from .faults import Faults
from .hubspot import HubSpotPortal, hubspot_app
from .hubspot.faults import HubSpotFaults
from .salesforce import SalesforceOrg, salesforce_app
from .salesforce.faults import SalesforceFaults
from .twilio import TwilioAccount, twilio_app
from .twilio_faults import TwilioFaults

HOST = "127.0.0.1"
READY_WITHIN_S = 30.0


class SandboxError(Exception):
    """A server did not come up; the message names the address."""


class Sandbox:
    """Salesforce, HubSpot and Twilio Lookup on loopback, filled with the same `contacts` people (leads among them).

    `ports` are for Salesforce, HubSpot and Twilio in this order, 0 for a free one. With `bare` the companion fields do
    not exist yet. `now` (aware) is the time that the shared clock starts from; without it the real time. `faults` are
    what the services do wrong, nothing by default.
    """

    def __init__(
        self,
        *,
        contacts: int = 3000,
        seed: int = 7,
        ports: Sequence[int] = (0, 0, 0),
        bare: bool = False,
        now: datetime | None = None,
        faults: Faults | None = None,
    ) -> None:
        self.clock = SandboxClock(now)
        crowd = list(people(contacts, seed=seed, now=self.clock.now()))
        self.salesforce = SalesforceOrg(people=crowd, clock=self.clock, companions=not bare, seed=seed)
        self.hubspot = HubSpotPortal(people=crowd, clock=self.clock, companions=not bare, seed=seed)
        self.twilio = TwilioAccount(clock=self.clock, seed=seed)
        apps = (salesforce_app(self.salesforce), hubspot_app(self.hubspot), twilio_app(self.twilio))
        self._servers = [LoopbackServer(app, port) for app, port in zip(apps, ports, strict=True)]
        self._faults: Faults | None = None
        self.faults = faults

    @property
    def faults(self) -> Faults | None:
        """What the services do wrong from now on; setting it begins every count anew, and None ends all of it.

        Settings of the services are put back then, changed records stay as they are. Raises FaultsError when it is set
        to something that the sandbox cannot do; then there are no faults.
        """
        return self._faults

    @faults.setter
    def faults(self, faults: Faults | None) -> None:
        for service in (self.salesforce, self.hubspot, self.twilio):
            with service.lock:
                if service.faults is not None:
                    service.faults.close()
                service.faults = None
        self._faults = None
        if faults is None:
            return
        refuse_unknown_paths(faults)
        if faults.concern("salesforce"):
            with self.salesforce.lock:
                self.salesforce.faults = SalesforceFaults(self.salesforce, self.clock, faults)
        if faults.concern("hubspot"):
            with self.hubspot.lock:
                self.hubspot.faults = HubSpotFaults(self.hubspot, self.clock, faults)
        if faults.concern("twilio"):
            with self.twilio.lock:
                self.twilio.faults = TwilioFaults(self.twilio, self.clock, faults)
        self._faults = faults

    @property
    def salesforce_url(self) -> str:
        """Address of the Salesforce org: instance URL and login URL alike."""
        return self._servers[0].url

    @property
    def hubspot_url(self) -> str:
        """Base URL of the HubSpot portal."""
        return self._servers[1].url

    @property
    def twilio_url(self) -> str:
        """Base URL of Twilio Lookup."""
        return self._servers[2].url

    def settings(self) -> dict[str, str]:
        """Return the environment variables that point ringfence at this sandbox; which lookups to buy is left open."""
        return {
            "RINGFENCE_SALESFORCE__INSTANCE_URL": self.salesforce_url,
            "RINGFENCE_SALESFORCE__ACCESS_TOKEN": self.salesforce.access_token,
            "RINGFENCE_HUBSPOT__BASE_URL": self.hubspot_url,
            "RINGFENCE_HUBSPOT__ACCESS_TOKEN": self.hubspot.access_token,
            "RINGFENCE_TWILIO__BASE_URL": self.twilio_url,
            "RINGFENCE_TWILIO__ACCOUNT_SID": self.twilio.sid,
            "RINGFENCE_TWILIO__AUTH_TOKEN": self.twilio.auth_token,
        }

    def start(self) -> None:
        """Start the servers and return when all three answer. Raises SandboxError, or OSError for a taken port."""
        try:
            for server in self._servers:
                server.start()
            for server in self._servers:
                server.await_ready()
        except BaseException:
            self.stop()
            raise
        self.salesforce.instance_url = self.salesforce_url

    def stop(self) -> None:
        """Stop the servers and wait for them; may be called twice."""
        for server in self._servers:
            server.ask_to_stop()
        for server in self._servers:
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
        """Bind and begin to serve. Raises OSError for a taken port."""
        self._socket = _listening(self._wanted_port)
        self._port = self._socket.getsockname()[1]
        self._server = uvicorn.Server(self._config)
        self._thread = Thread(
            target=self._server.run, args=([self._socket],), name=f"sandbox {self._port}", daemon=True
        )
        self._thread.start()

    def await_ready(self) -> None:
        """Return when it answers. Raises SandboxError when it does not within 30 seconds."""
        deadline = time.monotonic() + READY_WITHIN_S
        while self._server is not None and not self._server.started:
            if self._thread is None or not self._thread.is_alive() or time.monotonic() > deadline:
                raise SandboxError(f"the sandbox server at {self.url} did not start")
            time.sleep(0.005)

    def ask_to_stop(self) -> None:
        """Tell it to finish the requests it has and end; returns at once."""
        if self._server is not None:
            self._server.should_exit = True

    def join(self) -> None:
        """Wait until it has ended, and close the socket."""
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
