"""Where the service listens: on loopback unless it is told otherwise, and elsewhere only where callers are known."""

from __future__ import annotations

import errno
import ipaddress
import socket

from ringfence.core.errors import UsageError
from ringfence.core.state.store import Store
from ringfence.core.state.tokens import list_tokens

BACKLOG = 1_024
"""How many connections may wait to be accepted."""

HIGHEST_PORT = 65_535


def refuse_unguarded(store: Store, host: str) -> None:
    """Raise UsageError where others could call the service on this host and no token says who may."""
    if is_loopback(host):
        return
    with store.transaction() as connection:
        if list_tokens(connection):
            return
    raise UsageError(
        f"On {host} others could call the service, and there is no token by which it knows them.",
        "Make one first: `ringfence tokens add NAME --role viewer`. Or listen on 127.0.0.1, which needs none.",
    )


def is_loopback(host: str) -> bool:
    """Return whether an address, or ``localhost``, is reached from this machine alone."""
    bare = host.strip("[]").partition("%")[0]
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return bare.lower() == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on the port, 0 for a free one. Raises UsageError where that cannot be."""
    if not 0 <= port <= HIGHEST_PORT:  # the system would take the rest of a division, another port
        raise UsageError(f"There is no port {port}.", f"Name one up to {HIGHEST_PORT}, or 0 for a free one.")
    bare = host.strip("[]")
    try:
        found = socket.getaddrinfo(bare, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise UsageError(f"{host} is no address of this machine: {error.strerror}.", "Name another --host.") from error
    family, kind, protocol, _, address = found[0]

    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _cannot_listen(host, port, error) from error
    listener.setblocking(False)
    return listener


def _cannot_listen(host: str, port: int, error: OSError) -> UsageError:
    match error.errno:
        case errno.EADDRINUSE:
            return UsageError(
                f"Port {port} of {host} is taken by another process.", "End that one, or name another --port."
            )
        case errno.EACCES:
            return UsageError(
                f"Port {port} is only for privileged processes.", "Name one from 1024 on, behind a proxy if need be."
            )
        case _:
            return UsageError(
                f"Nothing can listen on {host}, port {port}: {error.strerror}.",
                "Name an address of this machine with --host.",
            )
