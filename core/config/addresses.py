"""Web addresses that credentials are sent to: https, but for this machine (docs/contract.md, section 3)."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from ..errors import SettingsError

_HOST = re.compile(r"[a-z0-9._:-]+", re.IGNORECASE)


def check_address(value: str, variable: str, example: str) -> str:
    """Return the address without a trailing slash.

    ``variable`` and ``example`` are named in errors. Raises SettingsError for what is no web address, has a user, a
    query or a fragment in it, or would send credentials in clear text to another machine.
    """
    address = value.strip()
    parts = _split(address)
    if parts is None:
        raise SettingsError(
            f"{variable} is not a web address.", f"It looks like {example}, without a user or anything behind the path."
        )
    host = parts.hostname or ""
    if parts.scheme == "http" and not is_loopback(host):
        raise SettingsError(
            f"{variable} would send credentials to {host} in clear text.",
            "Use https://; http:// is for this machine only.",
        )
    return address.rstrip("/")


def _split(address: str) -> SplitResult | None:
    """Return the parts of an address; None where it is none that a client could call."""
    # urlsplit drops line breaks, and takes any other sign as a part of the host.
    if not address.isascii() or not address.isprintable() or " " in address:
        return None
    try:
        parts = urlsplit(address)
        has_port = parts.port is None or parts.port > 0
    except ValueError:  # brackets that do not close, a port that is none
        return None

    is_plain = parts.username is None and not parts.query and not parts.fragment
    is_named = bool(parts.hostname) and _HOST.fullmatch(parts.hostname or "") is not None
    return parts if parts.scheme in ("http", "https") and is_plain and is_named and has_port else None


def is_loopback(host: str) -> bool:
    """Return whether the host name or address is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
