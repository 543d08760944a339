"""What a sandbox org holds: rows, schema, permissions, open cursors and jobs, settings and counters.

The operations on it stand in files of their own, which import this one: `writes`, `lifecycle`, `permissions`,
`replication`, `seed` and those of the Bulk jobs. `org` puts them together.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from ..clock import Clock
from ..fault_gate import FaultGate
from .access import Access, access_of, lets_read
from .bulk_jobs import Jobs, JobSettings
from .choices import RecordTypes
from .cursors import Cursors
from .rolling import Rolling
from .schema import FieldSpec, standard_objects
from .sessions import Sessions
from .table import Row, Table, Value
from .traits import SalesforceTraits
from .wire import Answer, stamp_text

RefuseRow = Callable[[str, Row, Mapping[str, Value]], tuple[str, str] | None]
"""A validation rule: takes object, row (empty for a new one) and changes; returns (code, message) to refuse the row."""


class Transaction(Protocol):
    """A long-running transaction that has not committed yet: replication may not answer past its start (aware)."""

    started: datetime


class OrgState(JobSettings):
    """The data of one org, empty at first: `seed` fills it.

    `clock` gives the org's time, `traits` what the org is like; tests may set others. Whoever reads or changes the
    state from another thread than the server's holds `lock`.
    `org_id`, `user_id` (the API user), `human_id` (a person) and `assigned_owner_id` (whom assignment rules make the
    owner) are the ids of seeded rows; `sessions` needs the first of them and is opened after that.
    """

    sessions: Sessions
    org_id = user_id = human_id = assigned_owner_id = ""

    def __init__(self, clock: Clock, traits: SalesforceTraits) -> None:
        self.clock = clock
        self.traits = traits
        self.lock = threading.RLock()

        self.instance_url = ""
        self.page_size = 2_000
        self.api_limit = 100_000
        self.app_limit: tuple[str, int] | None = None
        self.refuse_row: RefuseRow | None = None
        self.faults: FaultGate[Answer] | None = None

        self.requests: Counter[str] = Counter()
        self.cursors = Cursors()
        self.jobs = Jobs()
        self.transactions: list[Transaction] = []
        scattered = traits.scattered_ids
        self.tables = {spec.name: Table(spec, scattered=scattered) for spec in standard_objects("objects")}
        self.tooling = {spec.name: Table(spec) for spec in standard_objects("tooling")}
        self.profile: dict[tuple[str, str], tuple[bool, bool]] = {}

        self.record_types = RecordTypes()

        self._calls = Rolling()
        self._access: dict[str, Access] = {}
        self._defaults: dict[str, dict[str, Value]] = {}

    @property
    def api_usage(self) -> int:
        """The API calls of the last 24 hours; setting it says that others have used so many by now."""
        return self._calls.used(self.clock.now())

    @api_usage.setter
    def api_usage(self, calls: int) -> None:
        self._calls.set(self.clock.now(), calls)

    @property
    def identity(self) -> str:
        """The address of the API user, which ends in the ids of org and user."""
        return f"{self.instance_url}/id/{self.org_id}/{self.user_id}"

    @property
    def username(self) -> str:
        """The user name of the API user."""
        return str(self.tables["User"].rows[self.user_id]["Username"])

    def stamp(self) -> str:
        """Return the present moment as a stamp."""
        return stamp_text(self.clock.now())

    def table(self, object_name: str) -> Table:
        """Return the table of an object by its exact name; raises KeyError."""
        return self.tables[object_name]

    def object_named(self, name: str) -> str | None:
        """Return the exact name of an object given in any case, or None for one that is not there or not to be seen."""
        found = next((known for known in self.tables if known.lower() == name.lower()), None)
        return None if found is None or self.hides(found) else found

    def hides(self, object_name: str) -> bool:
        """Return whether the API user may not read an object, which then looks as if it were not there."""
        if object_name not in self.traits.hidden_objects:
            return False
        return not lets_read(object_name, self.tables, self.user_id)

    def permissionable_objects(self) -> frozenset[str]:
        """Return the objects whose permissions a permission set can hold."""
        return frozenset(name for name, table in self.tables.items() if not table.spec.plain)

    def add_field(self, object_name: str, field: FieldSpec, *, visible: bool) -> str:
        """Add a custom field and return its id; unless `visible`, nobody sees it before a permission set grants it."""
        self.tables[object_name].spec.add(field)
        self.profile[object_name, field.name] = (visible, visible)
        self._defaults.pop(object_name, None)
        self.forget_access()

        developer_name = field.name.removesuffix("__c")
        owner = self.table_key(object_name)
        facts = {"DeveloperName": developer_name, "TableEnumOrId": owner, "Length": field.length or None}
        return self.tooling["CustomField"].insert(Row(facts, ManageableState="unmanaged"))

    def table_key(self, object_name: str) -> str:
        """Return how the Tooling API names an object: a standard one by its name, a custom one by an id."""
        developer_name = object_name.removesuffix("__c")
        rows = self.tooling["CustomObject"].scan()
        return next((str(row["Id"]) for row in rows if row["DeveloperName"] == developer_name), object_name)

    def remove_field(self, object_name: str, name: str) -> None:
        """Take a custom field away, with its values and with what permission sets say of it."""
        table = self.tables[object_name]
        table.spec.remove(name)
        for row in table.rows.values():
            row.pop(name, None)
        grants = self.tables["FieldPermissions"]
        for grant in [row for row in grants.scan() if row["Field"] == f"{object_name}.{name}"]:
            grants.remove(str(grant["Id"]))
        self.profile.pop((object_name, name), None)
        self._defaults.pop(object_name, None)
        self.forget_access()

    def access(self, object_name: str) -> Access:
        """Return what the API user may see and edit of an object of the data API, worked out once."""
        found = self._access.get(object_name)
        if found is None:
            found = access_of(self.tables[object_name].spec, self.tables, self.profile, self.user_id)
            self._access[object_name] = found
        return found

    def tooling_access(self, object_name: str) -> Access:
        """Return the same for an object of the Tooling API."""
        spec = self.tooling[object_name].spec
        return Access(spec, {name.lower(): field for name, field in spec.fields.items()}, frozenset())

    def forget_access(self) -> None:
        """Forget the field-level security worked out so far, because permissions have changed."""
        self._access.clear()

    def defaults(self, object_name: str) -> Mapping[str, Value]:
        """Return the values of a new row before anything is set."""
        found = self._defaults.get(object_name)
        if found is None:
            found = self._defaults[object_name] = self._work_out_defaults(object_name)
        return found

    def _work_out_defaults(self, object_name: str) -> dict[str, Value]:
        fields = self.tables[object_name].spec.fields.values()
        found: dict[str, Value] = {field.name: False for field in fields if field.type == "boolean"}

        if object_name == "Lead":
            found["Status"] = "Open - Not Contacted"
        if object_name == "PermissionSet":
            found["IsCustom"] = True
        if own := self.record_types.ids.get(object_name):
            found["RecordTypeId"] = own[0]

        return found
