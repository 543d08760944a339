"""Where the service is reached from outside, for the projects that let a CRM call it."""

from __future__ import annotations

from dataclasses import dataclass

_SECURE = "https://"

PLACE_HOLDER = "https://replace-with-your-address.example.com"
"""What an emitted project says where no address is set that a CRM could reach."""


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """The public address of the service, and the description of its API as far as flows may call it.

    ``url`` is empty where none is set. ``api`` is an OpenAPI 3.0 document as JSON; empty where there is none to give.
    """

    url: str = ""
    api: str = ""

    @property
    def is_public(self) -> bool:
        """Return whether a CRM can reach it: they call no address in clear text."""
        return self.url.startswith(_SECURE)

    def at(self, path: str = "") -> str:
        """Return the address of a path of the service, below a placeholder where no public one is set."""
        return (self.url if self.is_public else PLACE_HOLDER).rstrip("/") + path
