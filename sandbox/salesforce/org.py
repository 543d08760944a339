"""The state of the sandbox org: rows, schema, permissions, tokens and counters."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from random import Random
from types import MappingProxyType
from typing import Protocol

from ..dataset import Person
from ..fault_gate import FaultGate
from .bulk_jobs import Jobs, JobSettings
from .companions import companion_fields
from .cursors import Cursors
from .journal import Journal
from .lifecycle import convert, merge_rows
from .permissions import Access, access_of
from .replication import LongTransaction
from .rolling import Rolling
from .schema import FieldSpec, standard_objects
from .seed import load_people, seed_setup
from .sessions import Sessions
from .table import Row, Table, Value
from .wire import Answer, stamp_text
from .writes import Author, change_row, delete_row, find_row

RefuseRow = Callable[[str, Row, Mapping[str, Value]], tuple[str, str] | None]
"""Takes object, row (empty for a new one) and changes; returns (code, message) to refuse the row, else None."""


class Clock(Protocol):
    """Where the org's time comes from; SandboxClock fulfils it."""

    def now(self) -> datetime:
        """Return the present moment, aware."""
        ...


class SalesforceOrg(JobSettings):
    """One org with its data; the methods here are what people do in it, the HTTP API is salesforce_app.

    Takes the people to fill it with, its clock, whether the companion fields exist, whether it says that it is a
    sandbox, and the seed of its tokens. Every public method may be called while a server thread answers requests.
    """

    def __init__(
        self, *, people: Iterable[Person], clock: Clock, companions: bool = True, sandbox: bool = True, seed: int = 7
    ) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.instance_url = ""
        self.page_size = 2_000
        self._calls = Rolling()
        self.api_limit = 100_000
        self.app_limit: tuple[str, int] | None = None
        self.requests: Counter[str] = Counter()
        self.refuse_row: RefuseRow | None = None
        self.faults: FaultGate[Answer] | None = None
        self.profile: dict[tuple[str, str], tuple[bool, bool]] = {}
        self.cursors = Cursors()
        self.jobs = Jobs()
        self.transactions: list[LongTransaction] = []
        self.tables = {spec.name: Table(spec) for spec in standard_objects("objects")}
        self.tooling = {spec.name: Table(spec) for spec in standard_objects("tooling")}
        self._access: dict[str, Access] = {}
        self._defaults: dict[str, dict[str, Value]] = {}
        if companions:
            for name in ("Contact", "Lead"):
                for field in companion_fields():
                    self.add_field(name, field, visible=True)
        setup = seed_setup(self, sandbox=sandbox)
        self.org_id, self.user_id, self.human_id, self.assigned_owner_id = setup
        self.sessions = Sessions(Random(seed), self.org_id)  # noqa: S311  # tokens of a stand-in, made repeatable on purpose
        load_people(self, people, companions=companions)

    @property
    def api_usage(self) -> int:
        """The API calls of the last 24 hours; setting it says that others have used so many by now."""
        return self._calls.used(self.clock.now())

    @api_usage.setter
    def api_usage(self, calls: int) -> None:
        self._calls.set(self.clock.now(), calls)

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

    @property
    def username(self) -> str:
        """The user name of the API user."""
        return str(self.tables["User"].rows[self.user_id]["Username"])

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
            change_row(table, find_row(table, row_id), plain(fields), self.human_id, self.stamp(), Journal())

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

    def convert_lead(self, lead_id: str) -> str:
        """Convert a lead and return the id of the contact that it became."""
        with self.lock:
            return convert(self, lead_id)

    def open_transaction(self, started: datetime | None = None) -> LongTransaction:
        """Open a long-running transaction: its rows become visible at commit, stamped with its start."""
        with self.lock:
            transaction = LongTransaction(self, started or self.clock.now())
            self.transactions.append(transaction)
            return transaction

    def hide_field(self, object_name: str, field: str) -> None:
        """Take a field away from the API user, also where a permission set grants it.

        Raises ValueError for a field that every user sees.
        """
        self._restrict(object_name, field, readable=False)

    def make_readonly(self, object_name: str, field: str) -> None:
        """Leave a field visible to the API user, but not editable; raises as hide_field does."""
        self._restrict(object_name, field, readable=True)

    def _restrict(self, object_name: str, field: str, *, readable: bool) -> None:
        with self.lock:
            if not self.tables[object_name].spec.fields[field].permissionable:
                raise ValueError(f"{object_name}.{field} is always visible: field-level security does not cover it")
            self.profile[object_name, field] = (readable, False)
            for row in self.tables["FieldPermissions"].scan():
                if row["Field"] == f"{object_name}.{field}":
                    row.update(PermissionsRead=readable, PermissionsEdit=False)
            self.forget_access()

    def add_field(self, object_name: str, field: FieldSpec, *, visible: bool) -> str:
        """Add a custom field and return its id; unless `visible`, nobody sees it before a permission set grants it."""
        self.tables[object_name].spec.add(field)
        self.profile[object_name, field.name] = (visible, visible)
        self._defaults.pop(object_name, None)
        self.forget_access()
        developer_name = field.name.removesuffix("__c")
        facts = {"DeveloperName": developer_name, "TableEnumOrId": object_name, "Length": field.length or None}
        return self.tooling["CustomField"].insert(Row(facts, ManageableState="unmanaged"))

    def table(self, object_name: str) -> Table:
        """Return the table of an object by its exact name; raises KeyError."""
        return self.tables[object_name]

    def object_named(self, name: str) -> str | None:
        """Return the exact name of an object given in any case, or None."""
        return next((known for known in self.tables if known.lower() == name.lower()), None)

    def permissionable_objects(self) -> frozenset[str]:
        """Return the objects whose permissions a permission set can hold."""
        return frozenset(name for name, table in self.tables.items() if not table.spec.plain)

    def access(self, object_name: str) -> Access:
        """Return what the API user may see and edit of an object of the data API."""
        found = self._access.get(object_name)
        if found is None:
            found = self._access[object_name] = access_of(self, self.tables[object_name].spec)
        return found

    def tooling_access(self, object_name: str) -> Access:
        """Return the same for an object of the Tooling API."""
        spec = self.tooling[object_name].spec
        return Access(spec, {name.lower(): field for name, field in spec.fields.items()}, frozenset())

    def forget_access(self) -> None:
        """Work field-level security out again at the next use."""
        self._access.clear()

    def defaults(self, object_name: str) -> Mapping[str, Value]:
        """Return what a new row holds before anything is set."""
        found = self._defaults.get(object_name)
        if found is None:
            fields = self.tables[object_name].spec.fields.values()
            found = {field.name: False for field in fields if field.type == "boolean"}
            if object_name == "Lead":
                found["Status"] = "Open - Not Contacted"
            if object_name == "PermissionSet":
                found["IsCustom"] = True
            self._defaults[object_name] = found
        return found

    def stamp(self) -> str:
        """Return the present moment as a stamp."""
        return stamp_text(self.clock.now())


def plain(fields: Mapping[str, Value | datetime]) -> dict[str, Value]:
    """Return values as rows hold them: moments become stamps."""
    return {name: stamp_text(value) if isinstance(value, datetime) else value for name, value in fields.items()}
