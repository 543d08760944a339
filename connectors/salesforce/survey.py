"""What a first sync of an org would meet: the org's own counts, and what runs by itself when a record is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ringfence.core.errors import RefusedError, StoppedError
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.survey import Allowance, Automation, ObjectCount, Survey

from ..http.batches import in_batches
from ..http.retry import without_patience
from .client import Row, SalesforceClient
from .composite import HEAVY_SUBREQUESTS, query_subrequest
from .fields import is_lead
from .quota import Quota
from .schema import Described, Schema
from .soql import base_conditions

COUNTED_UP_TO = 2_000_000
"""Records of an object up to which they are counted by queries; of more only the approximate count is asked."""

UNSEEN, UNSEEN_SHARE = 100, 10
"""Records, and percent of an object, from which on a difference between two counts is taken for sharing."""

READ_S, WRITE_S = 1.5, 6.0
"""Seconds of a call that reads 2,000 records, and of one that writes 1,000 where little else runs; estimated."""

FLOW, TRIGGER, RULE = "flow", "Apex trigger", "validation rule"

_FLOWS = (
    "SELECT Label, ApiName, ProcessType, TriggerType, RecordTriggerType, TriggerObjectOrEvent.QualifiedApiName "
    "FROM FlowDefinitionView WHERE IsActive = true"
)
_TRIGGERS = (
    "SELECT Name, UsageBeforeUpdate, UsageAfterUpdate, EntityDefinition.QualifiedApiName "
    "FROM ApexTrigger WHERE Status = 'Active'"
)
_RULES = "SELECT ValidationName, EntityDefinition.QualifiedApiName FROM ValidationRule WHERE Active = true"

_SIGHT = "Setup > Permission Sets > one of the user's > Object Settings: tick View All Records"

_REMEDY = (
    "Give the user View Setup and Configuration (Setup > Permission Sets > the user's > System Permissions), or ask an "
    "administrator."
)


def survey_org(client: SalesforceClient, schema: Schema, shapes: Mapping[str, ObjectShape]) -> Survey:
    """Return what a sync that reads everything would meet; what the org does not tell is left out."""
    counts = list(_count(client, schema, shapes))
    automation = _find_automation(client, list(shapes))
    return Survey(counts, automation, _read_allowance(client.quota), READ_S, WRITE_S, _SIGHT)


def _read_allowance(quota: Quota) -> Allowance | None:
    lefts = [(max(0, usage.allowed(quota.reserve) - usage.used), usage.limit) for usage in quota.usages]
    return Allowance(*min(lefts)) if lefts else None


def _count(client: SalesforceClient, schema: Schema, shapes: Mapping[str, ObjectShape]) -> Iterator[ObjectCount]:
    held = _ask(lambda: _held(client, list(shapes))) or {}
    small = {name: shape for name, shape in shapes.items() if held.get(name, 0) <= COUNTED_UP_TO}
    queries = {
        (name, part): soql for name, shape in small.items() for part, soql in _queries(shape, schema.known(name))
    }
    counted = _run_counts(client, queries)

    for name, shape in shapes.items():
        records = counted.get((name, ""))
        slots = [counted.get((name, slot.field)) for slot in shape.slots]
        filled = [each for each in slots if each is not None]
        yield ObjectCount(
            name,
            held.get(name) if records is None else records,
            sum(filled) if len(filled) == len(slots) else None,
            # Where no query may ask for the flag, every record is read once more for its opt-out.
            full_reads=1 + _is_flag_hidden(shape, schema.known(name)),
            unseen=_unseen(shape, records, held.get(name)),
        )


def _unseen(shape: ObjectShape, seen: int | None, held: int | None) -> int:
    """Return about how many records sharing hides from the user.

    The org's own count is approximate and up to a day old, so that only a clear difference counts; nothing is known of
    an object with a filter, and of leads, whose converted ones are counted too.
    """
    if seen is None or held is None or shape.filter or is_lead(shape):
        return 0
    return held - seen if held - seen > max(UNSEEN, held * UNSEEN_SHARE // 100) else 0


def _held(client: SalesforceClient, names: Sequence[str]) -> dict[str, int]:
    """Return object name -> about how many records the org holds, whoever may see them."""
    answer = client.get("limits/recordCount", "the record counts", "sObjects", sObjects=",".join(names))
    return {str(row["name"]): int(row["count"]) for row in answer["sObjects"]}


def _queries(shape: ObjectShape, known: Mapping[str, Described]) -> Iterator[tuple[str, str]]:
    """Yield (phone field, or nothing for all records; the query that counts)."""
    base = list(base_conditions(shape))
    scope = [f"({shape.filter})"] if shape.filter else []
    yield "", _counting(shape.name, [*base, *scope])
    for slot in shape.slots:
        if known.get(slot.field, {}).get("filterable", True):
            yield slot.field, _counting(shape.name, [*base, f"{slot.field} != null"])


def _counting(object_name: str, conditions: Sequence[str]) -> str:
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT COUNT() FROM {object_name}{where}"  # noqa: S608  # names and filter come from the mapping


def _run_counts(client: SalesforceClient, queries: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], int]:
    """Return the counts, a few queries to a call; one that fails or times out is left out."""
    found: dict[tuple[str, str], int] = {}
    for batch in in_batches(list(queries), HEAVY_SUBREQUESTS):
        subrequests = [query_subrequest(queries[key]) for key in batch]
        for key, answer in zip(batch, _ask(lambda: client.composite(subrequests, "describe")) or (), strict=False):  # noqa: B023 - it is called at once
            if answer.ok and isinstance(answer.body, dict):
                found[key] = int(answer.body.get("totalSize") or 0)
    return found


def _is_flag_hidden(shape: ObjectShape, known: Mapping[str, Described]) -> bool:
    return any(not known.get(name, {}).get("filterable", True) for name in shape.flag_fields())


def _find_automation(client: SalesforceClient, names: Sequence[str]) -> list[Automation]:
    """Return what runs on each object when a record is updated."""
    found = {name: Automation(name, {}, [], _REMEDY, _places(name)) for name in names}
    unknown: list[str] = []
    for kind, read in (
        (FLOW, lambda: _flows(client)),
        (TRIGGER, lambda: _triggers(client)),
        (RULE, lambda: _rules(client)),
    ):
        rows = _ask(read)
        if rows is None:
            unknown.append(kind)
        for owner, name in rows or ():
            if owner in found:
                found[owner].names.setdefault(kind, []).append(name)

    return [Automation(each.object, each.names, tuple(unknown), each.remedy, each.where) for each in found.values()]


def _places(name: str) -> str:
    return f"Setup > Flows; Setup > Apex Triggers; Setup > Object Manager > {name} > Validation Rules"


def _flows(client: SalesforceClient) -> list[tuple[str, str]]:
    """Return (object, label) of the active flows that an update of a record starts, Process Builder's among them."""
    return [
        (_owner(row, "TriggerObjectOrEvent"), str(row.get("Label") or row.get("ApiName")))
        for row in client.query(_FLOWS, "describe")["records"]
        if _starts_at_update(row)
    ]


def _starts_at_update(row: Row) -> bool:
    if row.get("ProcessType") == "Workflow":  # a process of Process Builder
        return True
    saving = str(row.get("TriggerType") or "") in ("RecordBeforeSave", "RecordAfterSave")
    return saving and row.get("RecordTriggerType") not in ("Create", "Delete")


def _triggers(client: SalesforceClient) -> list[tuple[str, str]]:
    return [
        (_owner(row, "EntityDefinition") or str(row.get("TableEnumOrId") or ""), str(row.get("Name")))
        for row in client.tooling_query(_TRIGGERS, "describe")["records"]
        if row.get("UsageBeforeUpdate", True) or row.get("UsageAfterUpdate", True)
    ]


def _rules(client: SalesforceClient) -> list[tuple[str, str]]:
    return [
        (_owner(row, "EntityDefinition") or str(row.get("EntityDefinitionId") or ""), str(row.get("ValidationName")))
        for row in client.tooling_query(_RULES, "describe")["records"]
    ]


def _owner(row: Row, relationship: str) -> str:
    return str((row.get(relationship) or {}).get("QualifiedApiName") or "")


def _ask(read: Callable[[], Any]) -> Any:
    """Return the answer, or None where the org refuses or cannot give it: a survey goes on without it."""
    try:
        with without_patience():
            return read()
    except (RefusedError, StoppedError, KeyError, TypeError, ValueError):
        return None  # the last three: an answer of another shape than is known
