"""The history: which runs there were, how they ended, and what they have to tell."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select, update

from ..errors import ErrorCode, StateError, UsageError
from ..model.field_roles import FieldRoles
from ..model.run_outcome import RunOutcome
from . import schema
from .leases import Holder
from .store import Store

STATE = "state"
"""What stands in the history in the place of a CRM, for what was done to the state itself."""

KILLED_WORDS = "the process was killed or lost its machine"
"""What stands there as the error of a run that was killed."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run as the journal keeps it; ``summary`` is what ``sync --json`` printed, None while the run goes on.

    ``crm`` is what its account is called: the name that it has among several, else its CRM. ``org`` is the account's
    name in its CRM, ``org_key`` its CRM and its id there, and ``address`` where a person finds its records, all empty
    where there is none. ``roles`` tell what the fields of its changes are for, ``process`` which process it ran in;
    either is None for runs of earlier versions.
    """

    id: str
    crm: str
    org_id: int | None
    dry_run: bool
    started_at: datetime
    ended_at: datetime | None
    outcome: RunOutcome
    options: Mapping[str, Any]
    summary: Mapping[str, Any] | None
    error: str | None
    org: str = ""
    address: str = ""
    roles: FieldRoles | None = None
    process: Holder | None = None
    org_key: str = ""

    @property
    def system(self) -> str:
        """Return the CRM that the run's account is an account of; for a run without one what stands in its place."""
        return self.org_key.partition(":")[0] or self.crm


_STAMP = "%Y%m%d-%H%M%S"


def new_run_id(now: datetime) -> str:
    """Return an id for a run that begins now: ids sort by time and do not repeat."""
    return f"{now.astimezone(UTC):{_STAMP}}-{secrets.token_hex(4)}"


def began_at(run_id: str | None) -> datetime | None:
    """Return when the run of this id began, by the second, also one that the history no longer holds.

    None where that is not on record.
    """
    try:
        return datetime.strptime((run_id or "").rpartition("-")[0], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def list_dead_runs(store: Store, org_id: int, this_run: str) -> Sequence[str]:
    """Return the org's runs without a recorded end that may have written something, ``this_run`` aside, oldest first.

    Under the org's lease none of them can be alive.
    """
    table = schema.runs
    dead = (table.c.org_id == org_id, table.c.outcome == RunOutcome.RUNNING.value, table.c.id != this_run)
    query = select(table.c.id).where(*dead, table.c.dry_run.is_(False)).order_by(table.c.started_at, table.c.id)
    with store.transaction() as connection:
        return connection.scalars(query).all()


def close_dead_runs(store: Store, org_id: int, this_run: str, now: datetime) -> None:
    """Record that the org's runs without a recorded end were killed, ``this_run`` aside."""
    table = schema.runs
    with store.transaction() as connection:
        connection.execute(
            update(table).where(table.c.org_id == org_id, table.c.id != this_run, _is_running()).values(_killed(now))
        )


def mark_killed(connection: Connection, run_ids: Sequence[str], now: datetime) -> int:
    """Record that these runs, as far as they have no recorded end, were killed; return how many that were."""
    table = schema.runs
    these = (table.c.id.in_(run_ids), _is_running())
    return connection.execute(update(table).where(*these).values(_killed(now))).rowcount


def _is_running() -> ColumnElement[bool]:
    return schema.runs.c.outcome == RunOutcome.RUNNING.value


def _killed(now: datetime) -> dict[str, Any]:
    return {"outcome": RunOutcome.KILLED.value, "ended_at": now, "error": KILLED_WORDS}


def list_runs(store: Store, limit: int = 20) -> list[Run]:
    """Return the latest runs, newest first."""
    table = schema.runs
    query = _select_runs().order_by(table.c.started_at.desc(), table.c.id.desc()).limit(limit)
    with store.transaction() as connection:
        return [_run(row) for row in connection.execute(query)]


def list_dry_runs(store: Store, org_id: int, since: datetime) -> list[Run]:
    """Return the dry runs of syncs of an org that began at or after the moment and ended well, newest first."""
    table = schema.runs
    wanted = (table.c.org_id == org_id, table.c.dry_run.is_(True), table.c.started_at >= since)
    query = _select_runs().where(*wanted, table.c.outcome == RunOutcome.DONE.value)
    with store.transaction() as connection:
        runs = [_run(row) for row in connection.execute(query.order_by(table.c.started_at.desc()))]
    return [run for run in runs if "limit" in run.options]  # an undo has other options


def list_unended(connection: Connection) -> list[Run]:
    """Return the runs of no account, such as the screening of a file, that have no recorded end."""
    table = schema.runs
    wanted = (table.c.outcome == RunOutcome.RUNNING.value, table.c.org_id.is_(None))
    return [_run(row) for row in connection.execute(_select_runs().where(*wanted))]


def find_run(store: Store, run_id: str) -> Run:
    """Return the run with that id, or the only one whose id begins or ends so.

    Raises UsageError when no run fits, or more than one.
    """
    table = schema.runs
    with store.transaction() as connection:
        rows = connection.execute(
            _select_runs().where(
                (table.c.id == run_id)
                | table.c.id.startswith(run_id, autoescape=True)
                | table.c.id.endswith(run_id, autoescape=True)
            )
        ).all()

    if len(rows) == 1:
        return _run(rows[0])
    if rows:
        raise UsageError(f"More than one run fits the id {run_id!r}.", code=ErrorCode.RUN_AMBIGUOUS)
    raise _not_found(store, run_id)


def list_account_names(store: Store, org_key: str) -> list[str]:
    """Return the names that belong to an org, that of the latest run first.

    A name belongs to the org that its latest run has worked on.
    """
    with store.transaction() as connection:
        return find_account_names(connection, org_key)


def list_names_beside(store: Store, name: str) -> list[str]:
    """Return the names that belong to the same org as this one, itself included; none where no run has had it."""
    with store.transaction() as connection:
        belongs = _find_owners(connection)
    return [each for each, key in belongs.items() if key == belongs.get(name)]


def find_account_names(connection: Connection, org_key: str) -> list[str]:
    """Return what :func:`list_account_names` does, in the caller's transaction."""
    return [name for name, key in _find_owners(connection).items() if key == org_key]


def _find_owners(connection: Connection) -> dict[str, str]:
    """Return name -> key of the org that its latest run has worked on, the name of the latest run first."""
    runs, orgs = schema.runs, schema.orgs
    latest = func.max(runs.c.started_at)
    query = select(runs.c.crm, orgs.c.key).join(orgs, orgs.c.id == runs.c.org_id).group_by(runs.c.crm, orgs.c.key)
    belongs: dict[str, str] = {}
    for row in connection.execute(query.order_by(latest.desc(), runs.c.crm)):
        belongs.setdefault(row.crm, row.key)
    return belongs


def find_purge(store: Store) -> tuple[datetime, str] | None:
    """Return before when runs were forgotten, and by which purge; None where none ever was."""
    table = schema.runs
    query = select(table.c.id, table.c.options).where(
        table.c.crm == STATE, table.c.org_id.is_(None), table.c.dry_run.is_(False)
    )
    with store.transaction() as connection:
        found = [(_read_json(row.options).get("purged_before"), row.id) for row in connection.execute(query)]
    return max(((datetime.fromisoformat(before), run_id) for before, run_id in found if before), default=None)


def _not_found(store: Store, run_id: str) -> UsageError:
    purge = find_purge(store)
    if purge is None or _began(run_id) > purge[0]:
        return UsageError(f"No run has the id {run_id!r}.", code=ErrorCode.RUN_NOT_FOUND)
    before, by = purge
    return UsageError(
        f"No run has the id {run_id!r}. What ended before {before:%Y-%m-%d %H:%M} UTC was forgotten by the purge {by}: "
        "it can be shown and taken back no more.",
        code=ErrorCode.RUN_PURGED,
    )


def _began(run_id: str) -> datetime:
    """Return when the run of this id began; where the id does not tell, the earliest moment that there is."""
    try:
        return datetime.strptime(run_id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def find_applied(store: Store, plan_run_id: str) -> str | None:
    """Return the run that carried out the plan of this dry run to its end, unless it has been taken back since."""
    table = schema.runs
    wanted = json.dumps({"apply": plan_run_id})
    with store.transaction() as connection:
        query = select(table.c.id).where(table.c.options == wanted, table.c.outcome == RunOutcome.DONE.value)
        applied = connection.scalars(query.order_by(table.c.started_at.desc())).first()
        if applied is None:
            return None

        undo = table.c.options == json.dumps({"undo": applied})
        undone = connection.scalars(select(table.c.id).where(undo, table.c.dry_run.is_(False))).first()
    return None if undone else applied


def find_undo(store: Store, run_id: str) -> str | None:
    """Return the latest run that took this one back, dry runs aside; None where none did."""
    table = schema.runs
    query = select(table.c.id).where(table.c.options == json.dumps({"undo": run_id}), table.c.dry_run.is_(False))
    with store.transaction() as connection:
        return connection.scalars(query.order_by(table.c.started_at.desc())).first()


def _select_runs() -> Select[Any]:
    runs, orgs = schema.runs, schema.orgs
    of_org = (orgs.c.name.label("org"), orgs.c.address, orgs.c.key.label("org_key"))
    return select(runs, *of_org).outerjoin(orgs, orgs.c.id == runs.c.org_id)


def _run(row: Any) -> Run:
    return Run(
        id=row.id,
        crm=row.crm,
        org_id=row.org_id,
        dry_run=row.dry_run,
        started_at=row.started_at,
        ended_at=row.ended_at,
        outcome=RunOutcome(row.outcome),
        options=_read_json(row.options),
        summary=_read_json(row.summary) if row.summary else None,
        error=row.error,
        org=row.org or "",
        address=row.address or "",
        roles=FieldRoles.from_json(_read_json(row.roles)) if row.roles else None,
        process=Holder(**_read_json(row.process)) if row.process else None,
        org_key=row.org_key or "",
    )


def _read_json(text: str) -> Any:
    """Return what a column of the history holds. Raises StateError where it is damaged."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise StateError("The state store is damaged: its history cannot be read.", "Restore a backup.") from error
