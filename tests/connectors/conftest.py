"""A server that answers as a test scripts it, for what no healthy service sends, and the clock of the sandbox."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ringfence.sandbox.server import Sandbox


@dataclass
class Script:
    """Answers in order, the last one for ever; ``seen`` holds (method, path, body) of each request."""

    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    seen: list[tuple[str, str, bytes]] = field(default_factory=list)
    url: str = ""
    stop: Callable[[], None] = field(default=lambda: None)

    def says(self, status: int, body: Any, **headers: str) -> None:
        """Add an answer; text goes out as it is, anything else as JSON. Header names take _ for -."""
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.answers.append((status, {name.replace("_", "-"): value for name, value in headers.items()}, content))


class SandboxClock:
    """The sandbox's own clock: waiting moves it on, so that pacing and limits agree and nobody waits."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._clock = sandbox.clock
        self.slept = 0.0

    def now(self) -> datetime:
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.now().timestamp()

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self._clock.advance(seconds)


@pytest.fixture
def script() -> Iterator[Script]:
    scripted = Script()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            scripted.seen.append((self.command, self.path, body))
            status, headers, content = scripted.answers.pop(0) if len(scripted.answers) > 1 else scripted.answers[0]
            self.send_response_only(status)  # without the Date header of the other one

            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)

            self.end_headers()
            self.wfile.write(content)
            self.close_connection = len(content) < int(headers.get("Content-Length", 0))

        do_GET = do_POST = answer  # noqa: N815 -- the names that http.server calls

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        scripted.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()

        def stop() -> None:
            server.shutdown()
            thread.join()
            server.server_close()

        scripted.stop = stop
        yield scripted
        stop()
