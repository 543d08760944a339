"""What a sandbox account holds, in the terms that a promise is about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringfence.core.model.record_view import screened_value
from ringfence.sandbox.server import Sandbox

# Creation too: two sandboxes are filled moments apart, and a fraction of a second shows in it.
STAMPS = ("modified", "modstamp", "createdate", "createddate", "updatedate", "last_screened", "updated_at")
NAMES = {
    "salesforce": {
        "object": "Contact",
        "phone": "Phone",
        "mobile": "MobilePhone",
        "flag": "DoNotCall",
        "country": "MailingCountry",
    },
    "hubspot": {
        "object": "contacts",
        "phone": "phone",
        "mobile": "mobilephone",
        "flag": "rf_do_not_call",
        "country": "country",
    },
}

Rows = dict[tuple[str, str], dict[str, Any]]


@dataclass
class AccountView:
    """One CRM of a sandbox, read as a test wants to see it; ``crm`` is its name."""

    crm: str
    sandbox: Sandbox

    @property
    def names(self) -> Mapping[str, str]:
        """This CRM's names of the phone fields and the flag, and of its first object."""
        return NAMES[self.crm]

    def companion(self, name: str, role: str = "phone") -> str:
        """The field of a companion: status, e164, screened_value."""
        field_name = self.names[role]
        if self.crm == "hubspot":
            return f"rf_{field_name}_{name}"
        shown = {"e164": "E164"}.get(name) or "_".join(word.capitalize() for word in name.split("_"))
        return f"RF_{field_name}_{shown}__c"

    def is_ours(self, field_name: str) -> bool:
        """Tell whether the field is a companion or the flag."""
        return field_name == self.names["flag"] or bool(re.match(r"(?i)rf_\w*phone_", field_name))

    def is_flagged(self, row: Mapping[str, Any]) -> bool:
        """Tell whether a person or ringfence has raised the row's flag."""
        return row.get(self.names["flag"]) in (True, "true")

    def rows(self) -> Rows:
        """Everything that the CRM holds about people."""
        if self.crm == "hubspot":
            return {("contacts", id_): dict(row) for id_, row in self.sandbox.hubspot.contacts.items()}
        salesforce = self.sandbox.salesforce
        return {
            (name, id_): {key: row[key] for key in row}
            for name in ("Contact", "Lead")
            for id_, row in salesforce.rows(name).items()
        }

    def everything(self) -> Rows:
        """All that the CRM holds, of every object, deleted records too."""
        if self.crm == "salesforce":
            tables = self.sandbox.salesforce.tables
            return {(name, id_): dict(row) for name, table in tables.items() for id_, row in table.rows.items()}
        stores = self.sandbox.hubspot.stores
        return {
            (name, str(id_)): dict(row.properties) for name, store in stores.items() for id_, row in store.rows.items()
        }

    def live(self) -> Rows:
        """The records that people still work with: not deleted, merged away or converted."""
        return {key: row for key, row in self.rows().items() if not row.get("IsDeleted") and not row.get("IsConverted")}

    def lasting(self) -> Rows:
        """The rows without the stamps, which tell when and not what."""
        return {
            key: {name: value for name, value in row.items() if not any(stamp in name.lower() for stamp in STAMPS)}
            for key, row in self.rows().items()
        }

    def verdicts(self) -> dict[tuple[tuple[str, str], str], tuple[Any, ...]]:
        """What each slot of each record says, and whether the record is flagged; the words of the reason aside."""
        kinds = ("status", "e164", "line_type", "screened_value")
        return {
            (key, role): (self.is_flagged(row), *(row.get(self.companion(kind, role)) for kind in kinds))
            for key, row in self.live().items()
            for role in ("phone", "mobile")
        }

    def unscreened(self) -> list[tuple[tuple[str, str], str]]:
        """The filled slots whose verdict is missing or about another content, and empty ones that still have one."""
        found = []
        for key, row in self.live().items():
            for role in ("phone", "mobile"):
                content, about = row.get(self.names[role]), row.get(self.companion("screened_value", role))
                if (about or None) != (screened_value(str(content)) if str(content or "").strip() else None):
                    found.append((key, role))
        return found
