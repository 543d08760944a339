"""A provider on loopback that a function plays: from each request it makes the answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Sent:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """Return the body, decoded; empty where there is none."""
        return json.loads(self.body) if self.body else {}


@dataclass
class Endless:
    """A body of ``size`` bytes that is made while it is sent; ``sent`` counts those that the other side took."""

    size: int
    part: bytes = b'{"data": "' + b"x" * 65_526
    sent: int = 0


Answering = Callable[[Sent], tuple[Any, ...]]
"""A request in; out come status and body, then headers, or "cut" for an answer whose second half never comes."""


@dataclass
class ProviderServer:
    """What answers, and all that was asked."""

    url: str = ""
    answering: Answering = lambda _: (200, {})
    sent: list[Sent] = field(default_factory=list)


def _encode(said: Any) -> bytes:
    return said.encode() if isinstance(said, str) else json.dumps(said).encode()


def open_server(state: ProviderServer) -> ThreadingHTTPServer:
    """Return a server that answers by ``state`` once it is served."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits for the other side, 40 ms

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            sent = Sent(self.command, self.path, dict(self.headers.items()), body)
            state.sent.append(sent)
            status, said, *more = state.answering(sent)
            if isinstance(said, Endless):
                self.send_endless(status, said)
                return
            content = said if isinstance(said, bytes) else _encode(said)
            headers = more[0] if more and isinstance(more[0], dict) else {}

            self.send_response_only(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            is_cut = "cut" in more
            self.wfile.write(content[: len(content) // 2] if is_cut else content)
            self.close_connection = is_cut

        def send_endless(self, status: int, body: Endless) -> None:
            self.send_response_only(status)
            self.send_header("Content-Length", str(body.size))
            self.end_headers()
            self.close_connection = True
            try:
                while body.sent < body.size:
                    body.sent += self.wfile.write(body.part)
            except OSError:
                return  # the other side has heard enough

        do_GET = do_POST = answer  # noqa: N815 -- the names that http.server calls

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    return server


@contextmanager
def served_provider() -> Iterator[ProviderServer]:
    """Serve a provider on loopback for the block, in a thread."""
    state = ProviderServer()
    with open_server(state) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
