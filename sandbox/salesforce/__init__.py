"""A Salesforce org on loopback: REST queries, rows, collections, Composite, Bulk API 2.0, describe, set-up, OAuth.

It answers as the service does, refusals included, and is never bent to please a client. What it does not do: Bulk API
1.0, jobs that delete for good, SOQL's TYPEOF, FORMAT and WITH, sharing, triggers but for their limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..plugin import SandboxPlugin

if TYPE_CHECKING:
    from ..service import Service


def _load() -> type[Service]:
    # Imported here because servers take a while to import, and every command asks for the name.
    from .service import SalesforceService  # noqa: PLC0415

    return SalesforceService


plugin = SandboxPlugin(
    name="salesforce",
    vendor="Salesforce",
    product="Salesforce",
    role="crm",
    port=8461,
    load=_load,
)

__all__ = ["plugin"]
