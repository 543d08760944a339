"""What the contacts of an account hold, a line each: accounts that say the same in all fields have the same lines."""

from __future__ import annotations

import json
from pathlib import Path

from ringfence.sandbox.hubspot.portal import HubSpotPortal
from ringfence.sandbox.salesforce.org import SalesforceOrg

_MOMENTS = ("date", "stamp", "last_screened", "lastmodified", "modified")
"""What the names of fields contain that hold when something happened, which differs from run to run."""


def write_contacts(crm: SalesforceOrg | HubSpotPortal, path: Path) -> None:
    """Write ``[id, {field: value}]`` for every contact in the order of ids; moments and what is empty are left out."""
    with crm.lock, path.open("w", encoding="utf-8") as lines:
        rows = crm.rows("Contact") if isinstance(crm, SalesforceOrg) else dict(crm.contacts)
        for record_id in sorted(rows):
            row = {name: value for name, value in rows[record_id].items() if value is not None and not _is_moment(name)}
            lines.write(json.dumps([record_id, row], sort_keys=True, default=str) + "\n")


def _is_moment(name: str) -> bool:
    return any(word in name.lower() for word in _MOMENTS)
