"""Where a person finds a record in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

_OBJECT_TYPES = {"contacts": "0-1", "companies": "0-2", "deals": "0-3", "tickets": "0-5", "leads": "0-136"}
"""Ids of HubSpot's own object types; a custom object is named by its id already."""

_APP = "app.hubspot.com"
_OF_HUBSPOT = ".hubspot.com"


def portal_address(details: Mapping[str, Any]) -> str:
    """Return where the portal's pages are, of the account's details; those of Europe have a host of their own."""
    domain = str(details.get("uiDomain") or "")
    if not domain.endswith(_OF_HUBSPOT) or not domain.removesuffix(_OF_HUBSPOT).replace("-", "").isalnum():
        domain = _APP
    return f"https://{domain}/contacts/{quote(str(details['portalId']), safe='')}"


def record_link(address: str, object_name: str, record_id: str) -> str:
    """Return the address of a record's page; ``address`` is that of the portal."""
    kind = _OBJECT_TYPES.get(object_name.lower(), object_name)
    return f"{address}/record/{quote(kind, safe='')}/{quote(record_id, safe='')}"
