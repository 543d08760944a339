"""What keeps the state small: history that is old, and accounts that are gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from ringfence.core.errors import BusyError, ErrorCode, RingfenceError, StoppedError, UsageError
from ringfence.core.model.run_outcome import RunOutcome
from ringfence.core.ports.jobs import Jobs, JobState
from ringfence.core.state.audit import AuditAction
from ringfence.core.state.destructions import Destruction, begin_destruction, end_destruction
from ringfence.core.state.forget import (
    KnownAccount,
    OptOutLoss,
    count_account,
    count_loss,
    find_account,
    forget_account,
)
from ringfence.core.state.journal import Journal
from ringfence.core.state.moving import move_store
from ringfence.core.state.private_files import create_whole
from ringfence.core.state.purge import Limits, Purged, purge_history
from ringfence.core.state.run_history import STATE, new_run_id
from ringfence.core.state.store import Store, key_file

from ..wiring import Wiring
from .audit import enter_act
from .door import Door, ForgetAccount

MOST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class PurgedState:
    """What a purge forgot, or would forget; ``record`` is its own entry in the history."""

    before: datetime
    purged: Purged
    record: str


@dataclass(frozen=True, slots=True)
class MovedState:
    """The rows by table that were carried over, and the file of the key that has to be set from now on, if any."""

    rows: Counter[str]
    key_file: Path | None


@dataclass(frozen=True, slots=True)
class ForgottenAccount:
    """An account that was forgotten, or would be, with the rows by table and the opt-outs that go with it."""

    account: KnownAccount
    rows: Counter[str]
    loss: OptOutLoss
    record: str


def purge_state(wiring: Wiring, older_than_days: int, door: Door, *, dry_run: bool) -> PurgedState:
    """Forget history older than so many days, but for what keeps opt-outs alive, and answers that are stale as well.

    The purge is an entry of the history itself, of the audit log and of the records of destruction. Raises UsageError
    for a number of days that makes no sense, and the errors of the state.
    """
    if not 0 <= older_than_days <= MOST_DAYS:
        raise UsageError(f"{older_than_days} days make no sense.", f"Give 0 to {MOST_DAYS:,}.")

    now = wiring.clock.now()
    before = now - timedelta(days=older_than_days)
    limits = Limits(before, min(before, now - wiring.policy().max_age))
    options = {"purged_before": before.isoformat()}
    with (
        closing(wiring.open_state()) as store,
        recorded(store, wiring, door, options, dry_run=dry_run) as (run_id, summary),
    ):
        if not dry_run:
            subject = f"purge {run_id}: what ended before {before:%Y-%m-%d}"
            destruction = Destruction(run_id, AuditAction.PURGE, door.author, subject, up_to=before)
            with store.transaction() as connection:
                begin_destruction(connection, store, destruction, now)
        purged = purge_history(store, limits, run_id, wiring.clock, dry_run=dry_run)
        summary["purged"] = dict(purged.rows)
        if not dry_run:
            end_destruction(store, run_id, purged.rows, wiring.clock.now())
    return PurgedState(before, purged, run_id)


def move_state(wiring: Wiring, to: str, door: Door, tell: Callable[[str, int], None]) -> MovedState:
    """Carry the whole state over to the SQLAlchemy URL ``to``, and let this one refuse further runs.

    The encryption key stays the same: where it is in a file beside the state, a file beside the new one gets it too.
    ``tell`` is called with each table and its rows. Raises UsageError where the target holds anything, and BusyError
    while jobs wait or run: they belong to the engine of the old place.
    """
    with closing(wiring.open_state()) as store:
        ours = store.key_file.path if store.key_file else None
        theirs = key_file(make_url(to)) if ours else None

        def finish() -> None:
            _refuse_open_jobs(wiring.open_jobs(store))
            if ours and theirs:
                create_whole(theirs, ours.read_bytes())

        rows = move_store(store, to, door.author, wiring.clock.now(), ready=finish, tell=tell)
    return MovedState(rows, ours if theirs is None else None)


def _refuse_open_jobs(jobs: Jobs) -> None:
    if left := jobs.list(states=(JobState.WAITING, JobState.RUNNING)):
        raise BusyError(
            f"{len(left)} jobs wait or run on the state store, job {left[0].id} the latest of them. Nothing was moved.",
            "Let a worker do them, or cancel them.",
            code=ErrorCode.JOBS_LEFT,
        )


def forget_org(wiring: Wiring, name: str, door: Door, *, dry_run: bool) -> ForgottenAccount:
    """Forget an account, once the door has confirmed that its opt-outs may go with it; a dry run only counts.

    ``name`` is its id in the CRM, with the CRM and a colon in front or without, or its name. The entry in the history
    stays. Raises UsageError where there is no such account or the door does not confirm, and BusyError while a run is
    at it.
    """
    with _open_if_there(wiring) as store:
        account = find_account(store, name)
        rows, loss = count_account(store, account), count_loss(store, account, wiring.clock.now())
        if not dry_run:
            door.confirm(ForgetAccount(account, loss))

        options = {"forgot": account.key}
        with recorded(store, wiring, door, options, dry_run=dry_run) as (run_id, summary):
            if not dry_run:
                enter_act(store, wiring, door, AuditAction.FORGET, f"{account.text}, run {run_id}")
                rows = forget_account(store, account, run_id, wiring.clock)
            summary["forgotten"] = dict(rows)
            summary["opt_outs"] = loss.covered
    return ForgottenAccount(account, rows, loss, run_id)


@contextmanager
def _open_if_there(wiring: Wiring) -> Iterator[Store]:
    store = wiring.open_state_if_there()
    if store is None:
        raise UsageError("There is no state store yet: nothing is kept.", code=ErrorCode.NO_STATE)
    with closing(store):
        yield store


@contextmanager
def recorded(
    store: Store, wiring: Wiring, door: Door, options: Mapping[str, Any], *, dry_run: bool
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Keep an entry of the history for the block: yield its id, and a summary to fill."""
    run_id = new_run_id(wiring.clock.now())
    summary: dict[str, Any] = {"run_id": run_id, "crm": STATE}
    journal = Journal(store, run_id)
    journal.begin(STATE, None, wiring.clock.now(), dry_run=dry_run, options=options)

    outcome, said = RunOutcome.INTERRUPTED, None
    try:
        yield run_id, summary
        outcome = RunOutcome.DONE
    except RingfenceError as error:
        outcome = RunOutcome.STOPPED if isinstance(error, StoppedError) else RunOutcome.FAILED
        said = door.explain(error)
        raise
    finally:
        journal.end(wiring.clock.now(), outcome, summary, said)
