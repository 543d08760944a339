"""Salesforce as a :class:`ringfence.core.ports.crm.Crm`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from math import ceil

from ringfence.core.errors import MappingError
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.model.values import Change, Record, RowResult
from ringfence.core.ports.crm import Capabilities, Depth, Finding, Org
from ringfence.core.ports.own_writes import OwnWrites, no_own_writes
from ringfence.core.ports.services import Services
from ringfence.core.ports.setup_steps import Removal, SetupStep
from ringfence.core.ports.survey import Survey

from ..http.batches import in_batches
from ..http.set_up import remark_on_labels
from .bulk.query import RESULT_ROWS
from .bulk.reader import WORTH_FROM, BulkReader
from .bulk.writer import SalesforceBulk
from .chunks import ChunkSizes
from .client import PAGE, Row, SalesforceClient
from .composite import COLLECTION, HEAVY_SUBREQUESTS
from .consent_check import check_consents
from .cursor import read_position
from .feed import SalesforceFeed
from .fields import CONTACT_OF_LEAD, MASTER, MERGEABLE, PERSON, RowReader
from .individuals import Individuals, check_individuals, find_individuals, find_link, find_links, tell
from .organization import read_org
from .paging import read_masters
from .persons import check_persons, hears_from_accounts, is_left_to_accounts
from .preflight import check_account, check_object
from .ranges import SalesforceRange, open_range
from .record_pages import read_records
from .record_types import check_record_types
from .removal import apply_removal, plan_removal
from .schema import Schema, differing_labels, find_absent
from .settings import SalesforceSettings
from .setup import apply_steps, plan_steps
from .setup_calls import SetupCalls
from .source import ObjectSource
from .splitting import count_due, split_object
from .survey import survey_org
from .watermark import open_feed
from .writer import CompositeWriter

NAME = "salesforce"
WRITE_BATCH = COLLECTION * HEAVY_SUBREQUESTS
"""Changes that one Composite call takes."""

QUERY_JOB = 2
"""Calls of a query job besides its results, at the fewest: it is created and polled."""

INGEST_JOB = 5
"""Calls of an ingest job, at the fewest: it is created, filled, closed and polled, and its results are read."""


class SalesforceCrm:
    """One org, with the shapes of its mapping by object name. Every method raises as its port says.

    Constructing it makes no call. Raises SettingsError where no log-in is set, MappingError for a filter that is not a
    SOQL condition.
    """

    name = NAME
    capabilities = Capabilities(write_batch=WRITE_BATCH, threads=True, worth_a_part=WRITE_BATCH)

    def __init__(self, settings: SalesforceSettings, shapes: Mapping[str, ObjectShape], services: Services) -> None:
        self._settings = settings
        self._clock = services.clock
        self._shapes = dict(shapes)
        self._readers = {name: RowReader(shape) for name, shape in shapes.items()}  # as the last preflight found it
        self._scopes = {name: _read_filter(shape) for name, shape in shapes.items()}
        self._client = SalesforceClient(settings, services)
        self._schema = Schema(self._client)
        self._org: Org | None = None
        self._individuals: Individuals | None = None
        self.learnt: dict[str, str] = {}
        self._sizes = ChunkSizes(services.clock, self.learnt, settings.chunk_size)
        self.bulk = SalesforceBulk(self._client, services.clock, self._shapes, self._sizes)

    @property
    def calls(self) -> Mapping[str, int]:
        """Return HTTP requests made so far by purpose, retries included."""
        return self._client.calls

    def fewest_calls(self, read: int, written: int, *, full: bool) -> int:  # noqa: ARG002  # both reads are queries
        """Return the fewest requests for so many records.

        Those are pages of a query and Composite calls of five collections, or, above the break-even, jobs that are
        polled once and refuse nothing (docs/vendors/salesforce.md, section 7).
        """
        reading = ceil(read / PAGE) if read <= WORTH_FROM else QUERY_JOB + ceil(read / RESULT_ROWS)
        if written < self.bulk.worth_from:
            return reading + ceil(written / WRITE_BATCH)
        return reading + INGEST_JOB * ceil(written / self.bulk.most)

    def identify(self) -> Org:
        """Log in and return the org; it is read once."""
        if self._org is None:
            self._org = read_org(self._client, NAME)
        return self._org

    def check(self, depth: Depth = Depth.SYNC) -> list[Finding]:
        """Return the findings about org, user, API calls left, objects, fields, access and filter."""
        findings = list(check_account(self._client, self.identify()))
        for name, shape in self._shapes.items():
            findings += check_object(self._client, self._schema, shape)
            if depth is Depth.DOCTOR and (known := self._schema.known(name)):
                findings += check_record_types(self._client, shape, self._schema.describe(name), known)
                findings += check_persons(self._shapes, name, known)

        links = {name: find_link(name, self._schema.known(name)) for name in self._shapes}
        self._individuals = find_individuals(self._client, self._schema, self._clock) if any(links.values()) else None
        if depth is Depth.DOCTOR and any(links.values()):
            findings.append(check_individuals(self._individuals))
            findings += check_consents(self._client, self._shapes, {name: self._schema.known(name) for name in links})
        for name, shape in self._shapes.items():
            absent = find_absent(shape, self._schema.known(name))
            link = links[name] if self._individuals else None
            self._readers[name] = self._reader(name, shape.without(absent), absent, link)
        return findings

    def _reader(self, name: str, shape: ObjectShape, absent: Collection[str], link: str | None) -> RowReader:
        if is_left_to_accounts(self._shapes, name, self._schema.known(name)):
            return RowReader(shape, absent, left=PERSON, deaf=hears_from_accounts(self._shapes), link=link)
        return RowReader(shape, absent, link=link)

    def survey(self) -> Survey:
        """Return the org's own counts, and what runs by itself when a record is written."""
        return survey_org(self._client, self._schema, self._shapes)

    def plan_setup(self) -> list[SetupStep]:
        """Return the fields, the permission set, its grants and its assignment that are missing."""
        return plan_steps(SetupCalls(self._client), self._schema, self._shapes)

    def setup_remarks(self) -> list[str]:
        """Return a sentence about the fields that bear other labels than set-up gives. They are left as they are."""
        found = [
            (f"{name}.{field}", held, given)
            for name, shape in self._shapes.items()
            for field, held, given in differing_labels(shape, self._schema.known(name))
        ]
        return [remark_on_labels(found, "--emit writes a project that sets them.")] if found else []

    def apply_setup(self, steps: Iterable[SetupStep]) -> Iterator[SetupStep]:
        """Create the steps, yielding each one when it is done."""
        return apply_steps(SetupCalls(self._client), self._schema, steps)

    def plan_removal(self, *, opt_outs: bool = False) -> Removal:  # noqa: ARG002  # set-up makes no opt-out field here
        """Return the companion fields and permission sets that are there; the opt-out fields are never among them."""
        return plan_removal(SetupCalls(self._client), self._schema, self._shapes)

    def apply_removal(self, steps: Iterable[SetupStep]) -> Iterator[SetupStep]:
        """Delete the steps, yielding each one when it is gone."""
        return apply_removal(SetupCalls(self._client), self._schema, steps)

    def open_feed(
        self,
        cursors: Mapping[str, str | None],
        own_writes: OwnWrites = no_own_writes,  # noqa: ARG002 - windows overlap by seconds, so little is read back
    ) -> SalesforceFeed:
        """Take the watermark of each object from Salesforce and return the reads up to it."""
        sources = [self._source(name, cursors.get(name)) for name in self._readers]
        if (now := self._client.server_now()) is None:
            self.identify()
            now = self._client.server_now() or self._clock.now()

        return open_feed(self._client, sources, now, self._bulk_reader())

    def split(self, object_name: str, parts: int, *, least: int = 1) -> list[str]:
        """Return up to so many ranges of ids."""
        return split_object(self._client, self._source(object_name, None), parts, least)

    def count_due(self, object_name: str, before: datetime) -> int | None:
        """Return about how many records are due by age; None where counting them takes Salesforce too long."""
        return count_due(self._client, self._source(object_name, None), before)

    def open_range(self, object_name: str, range_: str, position: str | None = None) -> SalesforceRange:
        """Return the reads of a range of ids."""
        return open_range(self._client, self._source(object_name, None), self._bulk_reader(), range_, position)

    def _bulk_reader(self) -> BulkReader:
        return BulkReader(self._client, self._clock, self._schema)

    def _source(self, name: str, cursor: str | None) -> ObjectSource:
        # The preflight of a run has described the objects; without one every field counts as one for conditions.
        fields = self._schema.known(name)
        hidden = frozenset(each for each, field in fields.items() if not field.get("filterable", True))
        flags = self._readers[name].shape.heard_fields()
        kinds = {each: str(fields[each]["type"]) for each in flags if each in fields}
        position, lacking = read_position(cursor), self._lacking(name)
        individuals = self._individuals if self._readers[name].link else None
        return ObjectSource(self._readers[name], self._scopes[name], position, hidden, kinds, lacking, individuals)

    def _lacking(self, name: str) -> frozenset[str]:
        """Return which fields about an object's own past cannot be asked for: it has none such, or hides them."""
        if fields := self._schema.known(name):
            return frozenset({MASTER, CONTACT_OF_LEAD} - fields.keys())
        return frozenset() if name in MERGEABLE else frozenset({MASTER})

    def fetch(self, object_name: str, ids: Sequence[str]) -> list[Record]:
        """Return the present state of the records, each survivor of a merge once under its own id."""
        reader, scope = self._readers[object_name], self._scopes[object_name]
        extra = (reader.left,) if reader.left else ()
        wanted = list(dict.fromkeys(ids))
        requested: set[str] = set()
        found: dict[str, Row] = {}

        while wanted:
            requested.update(wanted)
            missing = self._retrieve(object_name, wanted, (*reader.fields, *extra), found)
            can_be_merged = bool(missing) and not self._lacking(object_name) & {MASTER}
            masters = read_masters(self._client, object_name, missing) if can_be_merged else {}
            wanted = [master for master in dict.fromkeys(masters.values()) if master not in requested]

        rows = [row for row in found.values() if not (reader.left and row.get(reader.left))]
        records = read_records(self._client, reader, scope, rows, "read")
        return list(tell(self._individuals, records, find_links(rows, reader.link)))

    def write(self, changes: Sequence[Change]) -> list[RowResult]:
        """Write the changes, 1,000 in a call where none is guarded and 25 where they are; results keep their order."""
        return CompositeWriter(self._client, self._clock, changes, self._sizes).write()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _retrieve(self, name: str, ids: Sequence[str], fields: Sequence[str], found: dict[str, Row]) -> list[str]:
        missing = []
        for batch in in_batches(ids, PAGE):
            for record_id, row in zip(batch, self._client.retrieve(name, batch, fields, "read"), strict=True):
                if row is None:
                    missing.append(record_id)
                else:
                    found[str(row["Id"])] = row
        return missing


def _read_filter(shape: ObjectShape) -> str | None:
    if shape.filter is None or isinstance(shape.filter, str):
        return shape.filter or None
    raise MappingError(
        f"The filter of {shape.name} is a list; Salesforce takes a SOQL condition.",
        'Write it as text, such as "AccountId != null".',
    )
