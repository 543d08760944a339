"""Serving the application, and working its jobs off, until the process is asked to end."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from ringfence.core.errors import StoppedError
from ringfence.core.ports.jobs import Tally

from ..operations.journal_feed import JournalFeed
from ..wiring import Wiring
from ..worker.command import Forward
from .app import make_app
from .connections import IDLE_S, LONGEST_HEAD, PatientProtocol
from .crew import Crew, working
from .door import open_web_door
from .journal_reader import reading_journals
from .listening import listen, refuse_unguarded
from .service import Service

ANSWERS_S = 20
"""How long what was accepted may take to be answered once the service must end, in seconds."""

STORE_S = 2.0
"""How long a request waits for a state store that has gone away, in seconds."""

START_S = 20.0
"""How long the server may take to begin, in seconds."""

_LOOK_S = 0.2
_AT_ONCE_S = 1.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Serving:
    """How the service is run: where it listens, port 0 for a free one, and how many jobs it carries out at once.

    ``must_end`` tells whether the process was asked to end; ``forward`` shows a line of a command's standard error;
    ``began`` is called with the port once the service answers.
    """

    host: str
    port: int
    concurrency: int
    must_end: Callable[[], bool]
    forward: Forward
    began: Callable[[int], None]


@dataclass(slots=True)
class Served:
    """What a service did: how many requests it answered, and its attempts at jobs."""

    requests: int
    jobs: Tally

    def as_dict(self) -> dict[str, Any]:
        """Return the counts by name."""
        return {"requests": self.requests, "jobs": self.jobs.as_dict()}


def serve_until_ended(wiring: Wiring, serving: Serving) -> Served:
    """Serve until the process must end; then what is accepted is answered, and jobs that run end or are handed back.

    Raises the errors of the wiring, and UsageError where it cannot or must not listen there.
    """
    wiring.accounts()  # what is wrong with their settings is told before anybody calls
    with closing(wiring.open_state()) as store:
        store.patience_s = STORE_S
        refuse_unguarded(store, serving.host)
        listener = listen(serving.host, serving.port)
        port = listener.getsockname()[1]
        crew = Crew(wiring, serving.concurrency, serving.forward)
        door = open_web_door(serving.must_end)
        service = Service(wiring, store, wiring.open_jobs(store), door, port=port, is_working=crew.is_working)
        service.answerer.warm_up()
        journals = JournalFeed(wiring, store, service.jobs)
        with working(crew), reading_journals(journals), answering(service, listener) as server:
            serving.began(port)
            while not serving.must_end() and server.is_alive():
                server.wait(_LOOK_S)
            crew.end()  # while the last answers go out
        return Served(server.requests, crew.tally)


class Server:
    """A server in a thread of its own: the signals of the process are the command line's."""

    def __init__(self, service: Service, listener: socket.socket) -> None:
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                make_app(service),
                http=PatientProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",  # what matters is told by the gate, with the id of its request
                access_log=False,
                proxy_headers=False,  # who calls is who has connected: nothing here believes a header about that
                server_header=False,
                timeout_keep_alive=IDLE_S,
                timeout_graceful_shutdown=ANSWERS_S,
                h11_max_incomplete_event_size=LONGEST_HEAD,
            )
        )
        self._thread = threading.Thread(
            target=self._uvicorn.run, kwargs={"sockets": [listener]}, name="ringfence-serve", daemon=True
        )

    @property
    def requests(self) -> int:
        """Return how many requests were answered."""
        return self._uvicorn.server_state.total_requests

    def begin(self) -> None:
        """Begin to answer. Raises StoppedError where that takes too long."""
        self._thread.start()
        waited_s = 0.0
        while not self._uvicorn.started and self._thread.is_alive() and waited_s < START_S:
            self._thread.join(0.02)
            waited_s += 0.02
        if not self._uvicorn.started:
            raise StoppedError("The server did not begin to answer.", "Run again.")

    def is_alive(self) -> bool:
        """Return whether it still answers."""
        return self._thread.is_alive()

    def wait(self, seconds: float) -> None:
        """Wait for its end, for so many seconds at most."""
        self._thread.join(seconds)

    def end(self, *, at_once: bool = False) -> None:
        """Take no more requests, answer those that were accepted unless it must end ``at_once``, and return."""
        self._uvicorn.force_exit = at_once
        self._uvicorn.should_exit = True
        self._thread.join(_AT_ONCE_S if at_once else ANSWERS_S + 2)


@contextmanager
def answering(service: Service, listener: socket.socket) -> Iterator[Server]:
    """Answer at a socket for the block; at its end what was accepted is answered, unless an error leaves it."""
    server = Server(service, listener)
    try:
        server.begin()
        yield server
        server.end()
    except BaseException:
        server.end(at_once=True)
        raise
    finally:
        listener.close()
