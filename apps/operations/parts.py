"""The parts of a sync in partitions: how a run hands them out as jobs, and how a worker carries one out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from typing import Any

from ringfence.core.errors import RingfenceError, SettingsError, UsageError
from ringfence.core.model.caps import caps_from_json, caps_to_json
from ringfence.core.model.policy import Policy
from ringfence.core.model.shape_codec import shapes_from_json, shapes_to_json
from ringfence.core.ports.crm import Learning
from ringfence.core.ports.jobs import JobEngine, JobRequest, JobState
from ringfence.core.runs.mode import Deferring, Sharing
from ringfence.core.runs.options import SyncOptions
from ringfence.core.runs.part_errors import error_to_json
from ringfence.core.runs.part_run import PartWork, carry_out_part
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.shared_reading import Partitioning
from ringfence.core.state.cursors import register_org
from ringfence.core.state.learnt import keep_learnt, read_learnt
from ringfence.core.state.leases import this_process
from ringfence.core.state.part_holds import PartHold, hold_part
from ringfence.core.state.run_history import find_run
from ringfence.core.state.run_parts import RunPart
from ringfence.core.state.store import Store

from ..config_files import find_clocks
from ..wiring import Connection, Wiring
from .kept_connections import Bench, KeptConnections
from .preflight import require_ready

SYNC_PART = "sync-part"
"""The kind of job that is a part of a sync."""

BEFORE_OTHERS = 50
"""The priority of such a job: a run waits for it."""

_LOOK_EVERY_S = 2.0

Report = Callable[[Mapping[str, Any]], None]
"""Is told how far a part is."""


class QueuedParts:
    """See :class:`ringfence.core.runs.shared_reading.PartWorkers`: parts are jobs in the queue of the account."""

    def __init__(self, engine: JobEngine, queue: str, monotonic: Callable[[], float]) -> None:
        self._engine = engine
        self._queue = queue
        self._monotonic = monotonic
        self._jobs: list[str] = []
        self._looked_at = float("-inf")
        self._are_there = False

    def are_there(self) -> bool:
        """Return whether other processes take jobs of the account right now, or did two seconds ago."""
        if self._monotonic() - self._looked_at >= _LOOK_EVERY_S:
            self._looked_at = self._monotonic()
            self._are_there = self._engine.live_workers(self._queue) > 0
        return self._are_there

    def announce(self, run_id: str, parts: Sequence[int]) -> None:
        """Put a job on record for each part, unless one waits already."""
        requests = [
            JobRequest(
                SYNC_PART,
                {"run_id": run_id, "part": part},
                self._queue,
                queueing_lock=f"{SYNC_PART} {run_id} {part}",
                priority=BEFORE_OTHERS,
            )
            for part in parts
        ]
        self._jobs += [job for job in self._engine.enqueue(requests) if job is not None]

    def recall(self) -> None:
        """Cancel the jobs that nobody has begun."""
        for job in self._jobs:
            if self._engine.find(job).state is JobState.WAITING:
                self._engine.cancel(job)
        self._jobs.clear()


def divide_run(
    connection: Connection, job: SyncJob, partitions: int, engine: JobEngine, *, works_along: bool
) -> Partitioning:
    """Return how the reading of a run is divided: jobs in the account's queue, with what a worker has to know."""
    instructions = {
        "org": job.org.key,
        "shapes": shapes_to_json(connection.shapes),
        "policy": job.policy.model_dump(mode="json"),
        "providers": [lookup.name for lookup in job.lookups],
        "caps": caps_to_json(job.caps),
        "withhold": job.may_not_buy,
    }
    workers = QueuedParts(engine, connection.account, job.clock.monotonic)
    return Partitioning(partitions, workers, instructions, works_along)


def work_at_part(
    wiring: Wiring,
    account: str,
    run_id: str,
    part: int,
    *,
    kept: KeptConnections,
    must_end: Callable[[], bool],
    report: Report,
) -> str | None:
    """Carry out a part of a run as a worker; return a remark where there was nothing to do.

    The connections that it takes are ``kept`` for the run's next part. What goes wrong is the run's to tell, and ends
    the part. Raises Terminated once the part is handed back, and StateError where the store does not work.
    """
    with closing(wiring.open_state()) as store:
        hold = hold_part(store, run_id, part, wiring.clock.now())
        if hold is None:
            return "Nothing was left to do: the part is another's, or its run is over."
        try:
            wired = wiring.of(account)
            with kept.lend(account, run_id, lambda: _connect(wired, account, hold.part)) as bench:
                _work(wired, account, store, hold, bench, must_end, report)
        except RingfenceError as error:
            hold.fail(error_to_json(error))
    return None


def _connect(wiring: Wiring, account: str, part: RunPart) -> Bench:
    """Return the account and the providers of a run, ready for its parts."""
    connection = wiring.connect(account, shapes=shapes_from_json(part.instructions["shapes"]))
    bench = Bench(connection.crm, wiring.lookups())
    with ExitStack() as unless_ready:
        unless_ready.callback(bench.close)
        try:
            _require_same(bench, account, part)
            require_ready(bench.crm.check(), account)
        except RingfenceError as error:
            # Whoever reads it sits at another machine, and looks there in vain.
            error.message = f"A worker on {this_process().host} cannot work at {account}: {error.message}"
            raise
        unless_ready.pop_all()
    return bench


def _require_same(bench: Bench, account: str, part: RunPart) -> None:
    """Raise SettingsError or UsageError where this worker would not do what the run does."""
    told = part.instructions
    if [lookup.name for lookup in bench.lookups] != told["providers"]:
        raise SettingsError(
            f"This worker has other lookup providers than run {part.run_id}.",
            "Set the same providers for all of them.",
        )
    org = bench.crm.identify()
    if org.key != told["org"]:
        raise UsageError(
            f"The account {account} is {org.key} for this worker, and {told['org']} for run {part.run_id}.",
            "Give both the same credentials.",
        )


def _work(
    wiring: Wiring,
    account: str,
    store: Store,
    hold: PartHold,
    bench: Bench,
    must_end: Callable[[], bool],
    report: Report,
) -> None:
    told, crm, org = hold.part.instructions, bench.crm, bench.crm.identify()
    job = SyncJob(
        crm,
        org,
        shapes_from_json(told["shapes"]),
        store,
        Policy.model_validate(told["policy"]),
        wiring.clock,
        bench.lookups,
        caps_from_json(told["caps"]),
        must_end=must_end,
        account=account,
        clocks=partial(find_clocks, wiring.settings.mappings),
    )
    options = _options(store, hold.part.run_id)

    def beat() -> None:
        report({"run_id": hold.part.run_id, "part": hold.part.part, "rows": hold.rows_done})

    # Where nobody is there, lookups are bought under a cap of the day alone; the run itself asks for what is left.
    may_buy = wiring.settings.lookup.caps().may_buy(agreed=False, unattended=True) and not told["withhold"]
    mode = Sharing() if may_buy and not job.unpriced else Deferring()
    org_id = register_org(store, org)
    if isinstance(crm, Learning):
        crm.learnt.update(read_learnt(store, org_id))
    carry_out_part(PartWork(job, org_id, hold, options, mode, heartbeat=beat, counted=bench.counted))
    if isinstance(crm, Learning):
        keep_learnt(store, org_id, crm.learnt)


def _options(store: Store, run_id: str) -> SyncOptions:
    """Return what the user has asked of the run."""
    asked = find_run(store, run_id).options
    return SyncOptions(
        full=asked["full"],
        rescreen=asked["rescreen"],
        confirm_spread=asked["confirm_spread"],
        accept_mass_change=asked["accept_mass_change"],
        allow_expired_lists=asked.get("allow_expired_lists", False),  # not asked by an earlier version
        retry_lost_lookups=asked["retry_lost_lookups"],
    )
