"""Whose the flags are that are up since before that was kept: the journal tells which of them ringfence raised."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from sqlalchemy import Connection, func, select, update

from ..model.run_outcome import RunOutcome
from ..model.values import Outcome
from . import schema
from .flag_states import FlagState
from .holdings import Key
from .journal import read_changes
from .sql import ids_by_object, in_batches
from .store import Store

_CUT_OFF = (RunOutcome.KILLED, RunOutcome.INTERRUPTED, RunOutcome.FAILED, RunOutcome.RUNNING)
"""Ends of a run that may not have come to writing down which flags it raised."""


class _Raise(NamedTuple):
    """The last run that raised a record's flag, and whether it came to its end."""

    run_id: str
    cut_off: bool


def settle_flags(store: Store, org_id: int, flag_fields: Mapping[str, AbstractSet[str]]) -> None:
    """Find out whose the unsettled flags of these objects are; ``flag_fields`` is object name -> opt-out fields.

    A flag is ringfence's where the journal says that a run wrote it, and it was not first seen by a later run: that one
    would have seen it down in between, and up again by somebody's hand.
    """
    with store.transaction() as connection:
        unsettled = _find_unsettled(connection, org_id, flag_fields)
    if not unsettled:
        return

    raised = _find_raised(store, org_id, flag_fields, unsettled.keys())
    ours = [key for key, first_seen in unsettled.items() if _is_ours(raised.get(key), first_seen)]
    theirs = sorted(unsettled.keys() - set(ours))
    with store.transaction() as connection:
        _settle(connection, org_id, ours, FlagState.DERIVED)
        _settle(connection, org_id, theirs, FlagState.RAISED)


def _find_unsettled(connection: Connection, org_id: int, objects: Collection[str]) -> dict[Key, str | None]:
    """Return record -> the run that first saw its flag up, None where that is not on record."""
    table = schema.opt_out_flags
    query = (
        select(table.c.object, table.c.record_id, func.min(table.c.first_seen_run_id).label("first_seen"))
        .where(
            table.c.org_id == org_id,
            table.c.object.in_(list(objects)),
            table.c.state == FlagState.UNSETTLED.value,
        )
        .group_by(table.c.object, table.c.record_id)
    )
    return {(row.object, row.record_id): row.first_seen for row in connection.execute(query)}


def _find_raised(
    store: Store, org_id: int, flag_fields: Mapping[str, AbstractSet[str]], records: Collection[Key]
) -> dict[Key, _Raise]:
    found: dict[Key, _Raise] = {}
    for run_id, outcome in _list_runs(store, org_id):
        for row in read_changes(store, run_id):
            change = row.change
            if row.result is None or row.result.outcome is not Outcome.WRITTEN or change[:2] not in records:
                continue
            if not flag_fields[change.object].isdisjoint(change.names):
                found[change.object, change.id] = _Raise(run_id, outcome in _CUT_OFF)
    return found


def _list_runs(store: Store, org_id: int) -> Iterator[tuple[str, RunOutcome]]:
    table = schema.runs
    query = (
        select(table.c.id, table.c.outcome)
        .where(table.c.org_id == org_id, table.c.dry_run.is_(False))
        .order_by(table.c.started_at, table.c.id)
    )
    with store.transaction() as connection:
        rows = connection.execute(query).all()
    return ((row.id, RunOutcome(row.outcome)) for row in rows)


def _is_ours(raised: _Raise | None, first_seen: str | None) -> bool:
    return raised is not None and (first_seen is None or raised.cut_off or first_seen <= raised.run_id)


def _settle(connection: Connection, org_id: int, records: Collection[Key], state: FlagState) -> None:
    table = schema.opt_out_flags
    for name, ids in ids_by_object(records).items():
        for some in in_batches(ids):
            connection.execute(
                update(table)
                .where(
                    table.c.org_id == org_id,
                    table.c.object == name,
                    table.c.record_id.in_(some),
                    table.c.state == FlagState.UNSETTLED.value,
                )
                .values(state=state.value)
            )
