"""HubSpot as a :class:`ringfence.core.ports.crm.Crm`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Any

from ringfence.core.errors import AccessError
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.model.values import Change, Record, RowResult
from ringfence.core.ports.crm import Capabilities, Depth, Finding, Level, Org
from ringfence.core.ports.own_writes import OwnWrites, no_own_writes
from ringfence.core.ports.services import Services
from ringfence.core.ports.setup_steps import Removal, SetupStep
from ringfence.core.ports.survey import Survey
from ringfence.core.ports.workflows import Completion, Refused

from ..http.batches import in_batches
from ..http.set_up import remark_on_labels
from .callbacks import complete_executions
from .client import BATCH, SEARCH_PAGE, HubSpotClient
from .cursor import read_position
from .feed import HubSpotFeed, Opening
from .fields import ID, to_ms
from .filters import due_groups, read_filter
from .links import portal_address
from .paging import Searcher
from .preflight import check_object, check_room_for_setup, find_scopes
from .ranges import HubSpotRange, open_range
from .removal import apply_removal, plan_removal
from .schema import Schema, differing_labels
from .settings import HubSpotSettings
from .setup import apply_steps, plan_steps
from .source import ObjectSource
from .splitting import split_object
from .survey import survey_portal
from .writer import BatchWriter

NAME = "hubspot"

_PRODUCTION = "STANDARD"


class HubSpotCrm:
    """One portal, with the shapes of its mapping by object name. Every method raises as its port says.

    Constructing it makes no call. Raises SettingsError without a token, MappingError for a filter that is wrong.
    """

    name = NAME
    capabilities = Capabilities(write_batch=BATCH, threads=True, worth_a_part=5 * BATCH)
    bulk = None
    completion_batch = BATCH

    def __init__(self, settings: HubSpotSettings, shapes: Mapping[str, ObjectShape], services: Services) -> None:
        self._shapes = dict(shapes)
        self._scopes = {name: read_filter(shape) for name, shape in shapes.items()}
        self._client = HubSpotClient(settings, services)
        self._clock = services.clock
        self._schema = Schema(self._client)
        self._org: Org | None = None
        self._server_time: datetime | None = None

    @property
    def calls(self) -> Mapping[str, int]:
        """Return HTTP requests made so far by purpose, retries included."""
        return self._client.calls

    def fewest_calls(self, read: int, written: int, *, full: bool) -> int:
        """Return the fewest requests: a list scan, or searches and batch reads of what is written; batch updates."""
        updates = ceil(written / BATCH)
        return ceil(read / BATCH) + updates if full else ceil(read / SEARCH_PAGE) + 2 * updates

    def identify(self) -> Org:
        """Return the portal that the token belongs to, read once. Raises AccessError when the token may not read it."""
        if self._org is None:
            try:
                details, self._server_time = self._client.account()
            except AccessError as error:
                raise AccessError(
                    f"The token may not read which HubSpot account it belongs to. {error.message}", error.remedy
                ) from error
            self._org = _read_org(details)

        return self._org

    def check(self, depth: Depth = Depth.SYNC) -> list[Finding]:
        """Return the findings about account, properties, scopes and filter. Changes nothing."""
        org = self.identify()
        findings = [Finding(Level.OK, NAME, f"logged in to {org.name}.")]
        token = find_scopes(self._client) if depth is Depth.DOCTOR else None
        for name, shape in self._shapes.items():
            findings += check_object(self._client, self._schema, shape, self._scopes[name], depth, token)
        if depth is Depth.DOCTOR:
            findings += check_room_for_setup(self._client, self._schema, self._shapes)
        return findings

    def survey(self) -> Survey:
        """Return the counts of the portal, and what its calls of the day leave."""
        return survey_portal(self._client, self._schema, self._shapes, self._scopes)

    def plan_setup(self) -> list[SetupStep]:
        """Return the property groups and properties that are missing."""
        return plan_steps(self._client, self._schema, self._shapes.values())

    def setup_remarks(self) -> list[str]:
        """Return a sentence about the properties that bear other labels than set-up gives; they are left alone."""
        found = [
            (f"{name}.{field}", held, given)
            for name, shape in self._shapes.items()
            for field, held, given in differing_labels(shape, self._schema.definitions(name))
        ]
        return [remark_on_labels(found, "change them in Settings > Properties.")] if found else []

    def apply_setup(self, steps: Iterable[SetupStep]) -> Iterator[SetupStep]:
        """Create the steps, yielding each one when it is done."""
        return apply_steps(self._client, self._schema, steps)

    def plan_removal(self, *, opt_outs: bool = False) -> Removal:
        """Return the companion properties that are there; with ``opt_outs`` the opt-out property of set-up as well."""
        return plan_removal(self._client, self._schema, self._shapes, opt_outs=opt_outs)

    def apply_removal(self, steps: Iterable[SetupStep]) -> Iterator[SetupStep]:
        """Archive the steps, yielding each one when it is gone."""
        return apply_removal(self._client, self._schema, steps)

    def open_feed(self, cursors: Mapping[str, str | None], own_writes: OwnWrites = no_own_writes) -> HubSpotFeed:
        """Take the watermark from HubSpot's own clock and return the reads of this run."""
        local_ms = to_ms(self._clock.now())
        # An earlier moment is as good a watermark, once: the log-in has just asked for it.
        now, self._server_time = self._server_time or self._client.account()[1], None
        # The Date header names a second; its records to the last millisecond belong to the window.
        opening = Opening(watermark_ms=to_ms(now) + 999, local_ms=local_ms)
        positions = {name: read_position(cursors.get(name), opening.watermark_ms) for name in self._shapes}
        return HubSpotFeed(self._client, [self._source(name) for name in self._shapes], positions, opening, own_writes)

    def split(self, object_name: str, parts: int, *, least: int = 1) -> list[str]:
        """Return up to so many ranges of ids."""
        return split_object(self._client, object_name, parts, least)

    def count_due(self, object_name: str, before: datetime) -> int | None:
        """Return how many records the index has as due; None where that takes several searches."""
        source = self._source(object_name)
        groups = due_groups(source.rows.shape, before, source.scope)
        return Searcher(self._client, object_name, source.rows.properties).count_once(groups)

    def open_range(self, object_name: str, range_: str, position: str | None = None) -> HubSpotRange:
        """Return the reads of a range of ids."""
        return open_range(self._client, self._source(object_name), range_, position)

    def _source(self, name: str) -> ObjectSource:
        return ObjectSource(self._schema.reader(self._shapes[name]), self._scopes[name])

    def fetch(self, object_name: str, ids: Sequence[str]) -> list[Record]:
        """Return the present state of the records, each survivor of a merge once under its own id."""
        reader = self._schema.reader(self._shapes[object_name])
        rows: dict[str, Mapping[str, object]] = {}
        distinct = list(dict.fromkeys(ids))

        for batch in in_batches(distinct, BATCH):
            answer = self._client.read_batch(object_name, batch, reader.properties)
            rows.update((str(row["id"]), row) for row in answer["results"])

        inside = self._inside(object_name, list(rows))
        return [reader.read(row, in_scope=one in inside) for one, row in rows.items()]

    def write(self, changes: Sequence[Change]) -> list[RowResult]:
        """Write the changes in batches of 100; return one result for each, in their order."""
        results: dict[int, RowResult] = {}
        for name in dict.fromkeys(change.object for change in changes):
            indexes = [index for index, change in enumerate(changes) if change.object == name]
            writer = BatchWriter(self._client, name, self._schema.reader(self._shapes[name]).kinds)
            results.update(zip(indexes, writer.write([changes[index] for index in indexes]), strict=True))

        return [results[index] for index in range(len(changes))]

    def complete(self, completions: Sequence[Completion]) -> Refused | None:
        """Complete executions of workflow actions by one call; None where HubSpot took all of them."""
        return complete_executions(self._client, completions)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _inside(self, object_name: str, ids: Sequence[str]) -> set[str]:
        scope = self._scopes[object_name]
        return Searcher(self._client, object_name, (ID,)).among(ids, scope) if scope and ids else set(ids)


def _read_org(details: Mapping[str, Any]) -> Org:
    portal = str(details["portalId"])
    kind = str(details.get("accountType") or "unknown")
    name = f"portal {portal} ({kind.lower().replace('_', ' ')})"
    return Org(NAME, portal, name, kind == _PRODUCTION, portal_address(details))
