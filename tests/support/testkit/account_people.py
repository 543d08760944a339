"""What people do in a sandbox account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from ringfence.sandbox.salesforce.writes import new_row

from .account_view import AccountView


class AccountPeople(AccountView):
    """An account in which people edit, import and merge records, and time passes."""

    folder: Path

    def edit(self, key: tuple[str, str], **values: Any) -> None:
        """Edit a record as a person does; the values go by role: phone, mobile, flag."""
        self.set(key, **{self.names[role]: value for role, value in values.items()})

    def set(self, key: tuple[str, str], **named: Any) -> None:
        """Edit a record as a person does; the values go by field."""
        if self.crm == "hubspot":
            self.sandbox.hubspot.update_as_user(key[1], **_as_hubspot_holds(named))
        else:
            self.sandbox.salesforce.update_as_user(key[0], key[1], **named)

    def add(self, count: int, **values: Any) -> list[tuple[str, str]]:
        """Let that many people be there all at once, as an import brings them; the values go by role."""
        named = {self.names[role]: value for role, value in values.items()}
        if self.crm == "hubspot":
            portal, named = self.sandbox.hubspot, _as_hubspot_holds(named)
            with portal.lock:
                now = portal.now()
                rows = [portal.stores["contacts"].add(portal.new_id(), named, now, now) for _ in range(count)]
            return [("contacts", str(row.id)) for row in rows]

        org = self.sandbox.salesforce

        with org.lock:
            table, values = org.table("Contact"), {"LastName": "Doe", **named}
            return [
                ("Contact", table.insert(new_row(org, table, values, org.human_id, org.stamp()))) for _ in range(count)
            ]

    def age(self, **units: float) -> None:
        """Let every verdict be that old."""
        when = self.sandbox.clock.now() - timedelta(**units)
        value = str(int(when.timestamp() * 1000)) if self.crm == "hubspot" else when
        for key, row in self.live().items():
            stamps = [self.companion("last_screened", role) for role in ("phone", "mobile")]
            self.set(key, **{name: value for name in stamps if row.get(name)})

    def merge(self, winner: tuple[str, str], loser: tuple[str, str]) -> tuple[str, str]:
        """Merge a record into another and return the one that is left."""
        if self.crm == "hubspot":
            return "contacts", self.sandbox.hubspot.merge(winner[1], loser[1])
        self.sandbox.salesforce.merge(winner[1], [loser[1]])
        return winner

    def delete(self, key: tuple[str, str]) -> None:
        """Delete a record."""
        if self.crm == "hubspot":
            self.sandbox.hubspot.archive(key[1])
        else:
            self.sandbox.salesforce.delete(*key)

    def stamp(self, keys: Iterable[tuple[str, str]], seconds_ago: float = 0) -> None:
        """Give records of one object one modification time."""
        when, keys = self.sandbox.clock.now() - timedelta(seconds=seconds_ago), list(keys)
        ids = [id_ for _, id_ in keys]
        if self.crm == "hubspot":
            self.sandbox.hubspot.set_modified(ids, when)
        else:
            self.sandbox.salesforce.set_modified(keys[0][0], ids, when)

    def pass_time(self, **units: float) -> None:
        """Let time pass in the CRM."""
        self.sandbox.clock.advance(timedelta(**units).total_seconds())

    def map(self, **normalize: bool) -> str:
        """Write a mapping of the first object that normalises these slots; return the file's name."""
        names = self.names
        slots = ", ".join(f"{names[role]}: {{normalize: {value}}}" for role, value in normalize.items())
        lines = [
            f"crm: {self.crm}",
            f"objects: {{{names['object']}: {{phones: {{{slots}}},",
            f"  opt_out: {{field: {names['flag']}}}, region: {{field: {names['country']}}}}}}}",
        ]
        (self.folder / "mapping.yaml").write_text("\n".join(lines), encoding="utf-8")
        return "mapping.yaml"


def _as_hubspot_holds(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in values.items()}
