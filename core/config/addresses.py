"""Web addresses that credentials are sent to: https, but for this machine (docs/contract.md, section 3)."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from ..errors import SettingsError


def check_address(value: str, variable: str, example: str) -> str:
    """Return the address without a trailing slash.

    ``variable`` and ``example`` are named in errors. Raises SettingsError for what is no web address, has a user in
    it, or would send credentials in clear text to another machine.
    """
    address = value.strip()
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise SettingsError(f"{variable} is not a web address.", f"It looks like {example} and carries no user.")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise SettingsError(
            f"{variable} would send credentials to {parts.hostname} in clear text.",
            "Use https://; http:// is for this machine only.",
        )
    return address.rstrip("/")


def is_loopback(host: str) -> bool:
    """Return whether the host name or address is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
