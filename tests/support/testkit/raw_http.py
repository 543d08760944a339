"""HTTP a byte at a time, as no decent client speaks it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

WAIT_S = 20


class Wire:
    """A connection to a server. What is read ends with the connection, or with the answer that has a length."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, text: str) -> None:
        self._connection.sendall(text.encode())

    def head(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        """Send the head of a request."""
        lines = [
            f"{method} {path} HTTP/1.1",
            "Host: 127.0.0.1",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        self.send("\r\n".join([*lines, "", ""]))

    def answer(self) -> tuple[int, dict[str, str], Any]:
        """Return status, headers by their names in lower case, and the JSON document of an answer."""
        head, _, body = self._until(b"\r\n\r\n").partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        while len(body) < int(headers["content-length"]):
            body += self._read()
        return int(first.split()[1]), headers, json.loads(body)

    def is_ended(self) -> bool:
        """Return whether the server ends the connection without another word."""
        try:
            return self._connection.recv(1) == b""
        except ConnectionResetError:
            return True

    def _until(self, mark: bytes) -> bytes:
        found = b""
        while mark not in found:
            found += self._read()
        return found

    def _read(self) -> bytes:
        part = self._connection.recv(65_536)
        assert part, "the server ended the connection without an answer"
        return part


@contextmanager
def wire_to(url: str) -> Iterator[Wire]:
    """Give a new connection to the server at an address for the block."""
    parts = urlsplit(url)
    assert parts.port is not None
    with socket.create_connection((str(parts.hostname), parts.port), timeout=WAIT_S) as connection:
        yield Wire(connection)
