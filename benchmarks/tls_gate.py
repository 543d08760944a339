"""A way for clients that insist on a fixed https host to reach a loopback server.

An HTTPS proxy on loopback: whatever host is asked for, it shows a certificate of its own authority, takes the client's
bytes in clear text and hands them to the one server behind it. What that server does not have the gate answers itself.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOSTS = ("login.salesforce.com", "api.hubapi.com")
CHUNK = 1 << 16


class TlsGate:
    """Serves from the start of a ``with`` block to its end.

    Takes the http address to hand requests to, a folder for the certificate, and by path what the gate itself answers
    to the first request of a connection. ``settings`` are the environment variables by which Python's ``requests``
    goes through the gate.
    """

    def __init__(self, behind: str, folder: Path, answers: Mapping[str, Any]) -> None:
        parts = urlsplit(behind)
        self._behind = (str(parts.hostname), int(parts.port or 80))
        self._answers = {path.encode(): _answer(content) for path, content in answers.items()}
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(make_certificate(folder))
        self._listener = socket.create_server(("127.0.0.1", 0))
        # requests takes its authorities from certifi, whatever the environment says, when a session sends by itself.
        (folder / "sitecustomize.py").write_text(
            f"import certifi\ncertifi.where = lambda: {str(folder / 'gate.pem')!r}\n", encoding="utf-8"
        )
        self.settings = {
            "HTTPS_PROXY": f"http://127.0.0.1:{self._listener.getsockname()[1]}",
            "NO_PROXY": "127.0.0.1",
            "REQUESTS_CA_BUNDLE": str(folder / "gate.pem"),
            "PYTHONPATH": str(folder),
        }

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            asked = b""
            while not asked.endswith(b"\r\n\r\n"):
                asked += client.recv(1)
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")

            with self._context.wrap_socket(client, server_side=True) as secure:
                first = secure.recv(CHUNK)
                path = first.split(b" ", 2)[1].partition(b"?")[0]
                if path in self._answers:
                    secure.sendall(self._answers[path])
                    return
                with socket.create_connection(self._behind) as server:
                    server.sendall(first)
                    threading.Thread(target=_pump, args=(secure, server), daemon=True).start()
                    _pump(server, secure)


def _answer(content: object) -> bytes:
    body = json.dumps(content).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close"
    return head.encode() + b"\r\n\r\n" + body


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while some := source.recv(CHUNK):
            target.sendall(some)
        target.shutdown(socket.SHUT_WR)


def make_certificate(folder: Path) -> Path:
    """Write a key and a self-signed certificate for the hosts into ``gate.pem`` and return its path."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback gate")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "gate.pem"
    path.touch(mode=0o600)
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
