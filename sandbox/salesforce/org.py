"""A whole org: its state, filled with people, and what people and the platform do in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from random import Random
from types import MappingProxyType

from ..clock import Clock
from ..dataset import Person
from ..traits import OrgError
from .companions import companion_fields
from .individuals import leave_out_individuals
from .journal import Journal
from .lifecycle import convert, merge_rows
from .person_accounts import add_person_fields, make_persons, mirror
from .record_types import add_record_types
from .replication import LongTransaction
from .schema import custom_object
from .seed import load_people, seed_setup
from .sessions import Sessions
from .state import OrgState
from .table import Row, Table, Value
from .traits import SalesforceTraits
from .values import stored_values
from .wire import stamp_text
from .writes import Author, change_row, delete_row, find_row, new_row

UNGRANTED = {"Contact": ("DoNotCall",), "Lead": ("DoNotCall",)}
"""What the profiles of a new org leave out: recorded describes of such orgs lack these fields."""


class SalesforceOrg(OrgState):
    """One org with its data; the methods here are what people do in it, the HTTP API is salesforce_app.

    Takes the people to fill it with, its clock, whether the companion fields exist, the seed of its tokens, and what
    the org is like. Every public method may be called while a server thread answers requests.
    """

    def __init__(
        self,
        *,
        people: Iterable[Person],
        clock: Clock,
        companions: bool = True,
        seed: int = 7,
        traits: SalesforceTraits | None = None,
    ) -> None:
        super().__init__(clock, traits or SalesforceTraits())

        if not self.traits.data_protection:
            leave_out_individuals(self)
        if companions:
            for name in ("Contact", "Lead"):
                for field in companion_fields():
                    self.add_field(name, field, visible=True)

        seed_setup(self, seed)
        add_record_types(self)
        if self.traits.person_accounts:
            add_person_fields(self)
        self.sessions = Sessions(Random(seed), self.org_id)  # noqa: S311  # tokens of a stand-in, made repeatable on purpose
        load_people(self, people, companions=companions)
        if self.traits.person_accounts:
            make_persons(self)
        self._hide_fields({} if companions else UNGRANTED)

    @property
    def access_token(self) -> str:
        """The token issued last; expire_tokens makes it stale."""
        return self.sessions.latest

    @property
    def client_id(self) -> str:
        """The consumer key of the connected app."""
        return self.sessions.client_id

    @property
    def client_secret(self) -> str:
        """The consumer secret of the connected app."""
        return self.sessions.client_secret

    def register_public_key(self, pem: bytes | str) -> None:
        """Let JWT bearer assertions in that are signed with the private half of this PEM public key or certificate."""
        self.sessions.register(pem)

    def expire_tokens(self) -> None:
        """End every session that is open; the next call with such a token gets 401 INVALID_SESSION_ID."""
        with self.lock:
            self.sessions.expire()

    def rows(self, object_name: str) -> Mapping[str, Row]:
        """Return id -> row of an object, deleted rows included (their IsDeleted is True), for reading only.

        Values are as JSON shows them: moments are texts like `2026-01-02T03:04:05.000+0000`; no value reads as None.
        """
        with self.lock:
            return MappingProxyType(dict(self.tables[object_name].rows))

    def update_as_user(self, object_name: str, row_id: str, **fields: Value | datetime) -> None:
        """Change a row as a person does in the browser: no validation, stamps move, LastModifiedById is the person."""
        with self.lock:
            table = self.tables[object_name]
            row, values = find_row(table, row_id), stored_values(fields)
            change_row(table, row, values, self.human_id, self.stamp(), Journal())
            mirror(self, object_name, row, values, self.human_id, Journal())

    def create_as_user(self, object_name: str, **fields: Value | datetime) -> str:
        """Create a row as a person does in the browser, without validation; return its id."""
        with self.lock:
            table = self.tables[object_name]
            return table.insert(new_row(self, table, stored_values(fields), self.human_id, self.stamp()))

    def touch(self, object_name: str, row_id: str) -> None:
        """Do what a background process of the platform does: move SystemModstamp and nothing else."""
        with self.lock:
            find_row(self.tables[object_name], row_id)["SystemModstamp"] = self.stamp()

    def set_modified(self, object_name: str, row_ids: Iterable[str], when: datetime) -> None:
        """Give rows one stamp (aware), as a job that changes thousands of them does."""
        with self.lock:
            stamp = stamp_text(when)
            for row_id in row_ids:
                find_row(self.tables[object_name], row_id).update(LastModifiedDate=stamp, SystemModstamp=stamp)

    def delete(self, object_name: str, row_id: str) -> None:
        """Put a row into the recycle bin."""
        with self.lock:
            delete_row(self, object_name, row_id, Author(self.human_id, False, Journal()))

    def merge(self, winner: str, losers: Iterable[str]) -> None:
        """Merge one or two losers into the winner: they are deleted and name it in MasterRecordId."""
        with self.lock:
            merge_rows(self, winner, list(losers))

    def convert_lead(self, lead_id: str, contact_id: str | None = None) -> str:
        """Convert a lead, into a contact that is there where one is named; return the id of the contact."""
        with self.lock:
            return convert(self, lead_id, contact_id)

    def open_transaction(self, started: datetime | None = None) -> LongTransaction:
        """Open a long-running transaction: its rows become visible at commit, stamped with its start."""
        with self.lock:
            transaction = LongTransaction(self, started or self.clock.now())
            self.transactions.append(transaction)
            return transaction

    def add_object(self, name: str, label: str, fields: Mapping[str, str]) -> None:
        """Add a custom object, empty; `fields` are lines as in catalog.json: `"phone 40 | Home Phone"`."""
        with self.lock:
            self.tables[name] = Table(custom_object(name, label, fields))
            self.tooling["CustomObject"].insert(Row({"DeveloperName": name.removesuffix("__c")}))

    def hide_field(self, object_name: str, field: str) -> None:
        """Take a field away from the API user, also where a permission set grants it.

        Raises ValueError for a field that every user sees.
        """
        self._restrict(object_name, field, readable=False)

    def make_readonly(self, object_name: str, field: str) -> None:
        """Leave a field visible to the API user, but not editable; raises as hide_field does."""
        self._restrict(object_name, field, readable=True)

    def restrict_picklist(self, object_name: str, field: str) -> None:
        """Let a picklist refuse values that are not listed, as an administrator may choose."""
        with self.lock:
            spec = self.tables[object_name].spec
            spec.add(replace(spec.fields[field], restricted=True))
            self.forget_access()

    def encrypt_field(self, object_name: str, field: str) -> None:
        """Encrypt a field with a random key, as an administrator may choose: no condition may name it any more."""
        with self.lock:
            spec = self.tables[object_name].spec
            spec.add(replace(spec.fields[field], filterable=False))
            self.forget_access()

    def _hide_fields(self, usual: Mapping[str, Iterable[str]]) -> None:
        """Hide the fields that the traits name, or else the usual ones. Raises OrgError for one that stays visible."""
        chosen = self.traits.hidden_fields
        for object_name, fields in (usual if chosen is None else chosen).items():
            for field in fields:
                try:
                    self.hide_field(object_name, field)
                except (KeyError, ValueError) as error:
                    where = f"salesforce.hidden_fields: {object_name}.{field}"
                    raise OrgError(f"{where} is no field that the org can hide.", "Correct its name.") from error

    def _restrict(self, object_name: str, field: str, *, readable: bool) -> None:
        with self.lock:
            if not self.tables[object_name].spec.fields[field].permissionable:
                raise ValueError(f"{object_name}.{field} is always visible: field-level security does not cover it")

            self.profile[object_name, field] = (readable, False)
            for row in self.tables["FieldPermissions"].scan():
                if row["Field"] == f"{object_name}.{field}":
                    row.update(PermissionsRead=readable, PermissionsEdit=False)
            self.forget_access()
