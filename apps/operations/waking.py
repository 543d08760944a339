"""Records that somebody told us to look at: put on record, and synced by a job of their own.

Whoever tells of a record (a webhook, an outbound message, a workflow, a signal) is believed in nothing but that: the
record is read anew from its CRM, which stays the truth. So it harms nobody when the same is told twice, late, or in the
wrong order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace

from sqlalchemy import Connection as Transaction

from ringfence.core.errors import ErrorCode, StoppedError
from ringfence.core.ports.jobs import AttemptError, JobRequest, Jobs
from ringfence.core.runs.progress import NoProgress
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.woken import run_woken
from ringfence.core.state.cursors import writes_confirmed
from ringfence.core.state.store import Store
from ringfence.core.state.wakes import Wakes, put_wakes

from ..registry import find_crm
from ..wiring import Connection, Wiring
from .door import Door
from .kept_connections import Bench, KeptConnections
from .preflight import require_ready
from .runs import Account, make_job

TARGETED_SYNC = "targeted-sync"
"""The kind of job that syncs the records of an account that were woken."""

BEFORE_OTHERS = 60
"""The priority of such a job: somebody may be waiting for it."""

KEPT_S = 600
"""For how long a connection serves one such job after the other, in seconds: then the schema is read anew."""


def sync_lock(account: str) -> str:
    """Return the lock of jobs that no other sync of the account may run beside."""
    return f"sync:{account}"


def wake_records(
    wiring: Wiring,
    store: Store,
    jobs: Jobs,
    account: str,
    records: Mapping[str, Iterable[str]],
    *,
    within: Transaction | None = None,
) -> int:
    """Let records of an account be synced on their own, soon: put them and a job on record, and return how many.

    ``records`` is object name -> record ids, as anybody may write them; what is no id is left out. ``within`` is a
    connection of the store in a transaction: all stands on record together with what else is done in it, or not at
    all. Raises UsageError for an account that is not there, and StateError.
    """
    keys = _read_keys(wiring.of(account), records)
    if not keys:
        return 0
    with ExitStack() as stack:
        connection = within if within is not None else stack.enter_context(store.transaction())
        count = put_wakes(connection, account, keys, wiring.clock.now())
        jobs.enqueue([job_for_woken(account)], connection)
    return count


def job_for_woken(account: str) -> JobRequest:
    """Return the job that syncs what was woken of an account; one waits at a time."""
    return JobRequest(
        TARGETED_SYNC,
        queue=account,
        lock=sync_lock(account),
        queueing_lock=f"{TARGETED_SYNC}:{account}",
        priority=BEFORE_OTHERS,
    )


def _read_keys(wiring: Wiring, records: Mapping[str, Iterable[str]]) -> list[tuple[str, str]]:
    """Return the records as (object, record id), each id as the CRM's API gives it."""
    plugin = find_crm(wiring.account.crm if wiring.account else "")
    found = ((name, plugin.record_id(text)) for name, ids in records.items() for text in ids)
    return [(name, record_id) for name, record_id in found if record_id is not None]


def sync_woken(wiring: Wiring, account: str, door: Door, kept: KeptConnections) -> str | None:
    """Sync the records of an account that were woken; return a remark where there is one to make.

    Nobody is there: what nobody has agreed to is not done. The connection is ``kept`` for the next time. Raises the
    errors of the wiring, of the preflight and of the run; AttemptError where the run has ended early.
    """
    wired = wiring.of(account)
    with closing(wiring.open_state()) as store:
        if not (waiting := Wakes(store, account).count()):
            return "Nothing was left to do."

        turn = f"{TARGETED_SYNC} {int(wiring.clock.monotonic() // KEPT_S)}"
        with kept.lend(account, turn, lambda: _connect(wired, account)) as bench:
            org = bench.crm.identify()
            if org.production and not writes_confirmed(store, org):
                return (
                    f"Nobody has agreed yet that ringfence writes to {org.name}: {waiting:,} records wait until its "
                    "first sync has."
                )
            summary = run_woken(_make_job(wired, account, store, bench, door))
        return _conclude(summary, left=Wakes(store, account).count())


def _connect(wiring: Wiring, account: str) -> Bench:
    """Return the account and the providers, ready for a run."""
    connection = wiring.connect(account)
    with ExitStack() as unless_ready:
        bench = Bench(connection.crm, (), shapes=connection.shapes)
        unless_ready.callback(bench.close)
        bench.lookups = wiring.lookups()
        bench.crm.identify()
        require_ready(bench.crm.check(), account)
        unless_ready.pop_all()
    return bench


def _make_job(wiring: Wiring, account: str, store: Store, bench: Bench, door: Door) -> SyncJob:
    caps = wiring.settings.lookup.caps()
    connection = Connection(bench.crm, bench.shapes, account)
    job = make_job(Account(wiring, connection, bench.crm.identify(), store), door, NoProgress())
    may_buy = caps.may_buy(agreed=False, unattended=True)
    return replace(
        job,
        lookups=bench.lookups,
        caps=caps,
        withhold=bool(bench.lookups) and not may_buy,
        made_before=bench.counted,
    )


def _conclude(summary: Summary, *, left: int) -> str | None:
    """Return what there is to remark about a run. Raises AttemptError for one that has left records unhandled.

    What a budget did not reach for waits for the next sync, and no attempt at these records would change that.
    """
    if (end := summary.end) is not None and (left or end.exit_code != StoppedError.exit_code):
        raise AttemptError(end.message, end.remedy, exit_code=end.exit_code, name=end.error, code=ErrorCode(end.code))
    if end is not None:
        return end.text
    if refused := summary.refused_rows():
        return f"The CRM refused {refused:,} records; `ringfence runs show {summary.run_id}` has them."
    return None
