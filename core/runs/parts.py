"""The parts of a sync, put together: what reads, decides, writes and keeps count, over one state store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from ..decisions.due import EVERY_SLOT
from ..decisions.mass_change import MassChangeGuard
from ..evidence.history import NumberHistory
from ..screening.gateway import KnownAnswers
from ..screening.routing import Routing
from ..screening.screening import Screening
from ..state.countries_met import CountriesMet
from ..state.cursors import Cursors
from ..state.earlier_syncs import owed_rescreen
from ..state.erased import find_erased
from ..state.lookup_cache import LookupCache, crm_realm
from ..state.lookup_history import DoubtWatch
from ..state.opt_out_ledger import OptOutLedger
from ..state.own_writes import OwnWrites
from ..state.pending import Pending
from ..suppression.expired_lists import ExpiredLists
from ..writing.outbox import Outbox
from .batches import BatchProcessor
from .brake import Brake
from .cursor_tracker import CursorTracker
from .decider import Decider
from .examiner import Examiner
from .list_watch import ListWatch
from .mode import RunMode
from .options import SyncOptions
from .outcomes import OutcomeRecorder
from .overdue import OverdueWatch
from .run import RunContext
from .summary import Summary
from .work_queue import WorkQueue


@dataclass(frozen=True, slots=True)
class SyncParts:
    """What the phases of a sync work with."""

    cursors: Cursors
    known: KnownAnswers
    ledger: OptOutLedger
    pending: Pending
    screening: Screening
    brake: Brake
    examiner: Examiner
    outbox: Outbox
    processor: BatchProcessor
    tracker: CursorTracker
    queue: WorkQueue
    own_writes: OwnWrites
    lists: ListWatch


def assemble(
    context: RunContext,
    options: SyncOptions,
    summary: Summary,
    mode: RunMode,
    *,
    screening: Screening | None = None,
    tracker: CursorTracker | None = None,
    part: int | None = None,
) -> SyncParts:
    """Return the parts of one sync; ``screening`` and ``tracker`` are those of a larger work, whose ``part`` it is."""
    job, org_id = context.job, context.org_id
    cursors = Cursors(job.store, org_id, job.shapes)
    watch = DoubtWatch(job.store.keyring, job.ledger, job.policy.unreachable)
    cache = LookupCache(job.store, summary.run_id, job.caps, part=part, watch=watch)
    ledger = OptOutLedger(job.store, org_id, summary.run_id, job.clock, job.name)
    pending = Pending(job.store, org_id, summary.run_id)

    known = KnownAnswers(
        cache,
        job.lookups,
        job.policy.max_age,
        crm_realms=[crm_realm(job.org.key)],
        retry_lost=options.retry_lost_lookups,
        routing=Routing.of(job.policy, job.lookups),
    )
    history = NumberHistory(job.store, job.ledger, job.evidence, job.policy.max_age)
    screening = screening or _make_screening(context, mode, known, ledger, history)
    rescreen_before = EVERY_SLOT if options.rescreen else owed_rescreen(job.store, org_id)
    guard = MassChangeGuard(accepted=options.accept_mass_change)
    brake = Brake()
    expired = ExpiredLists.read(job.store, job.ledger, job.clock.now(), allowed=options.allow_expired_lists)
    lists = ListWatch(expired, CountriesMet(job.store, org_id), brake)
    lists.begin(job.shapes)
    examiner = Examiner(
        job.crm,
        job.shapes,
        ledger,
        pending,
        job.policy,
        job.clock,
        summary,
        lists.look_at,
        rescreen_before,
        history,
        may_look_up=bool(job.lookups),
    )
    overdue = OverdueWatch(job.clocks, job.clock, summary) if job.clocks is not None else None
    decider = Decider(screening, mode, guard, brake, job.clock, overdue)

    writer = mode.make_writer(job.crm, job.shapes, context.journal, job.clock)
    outbox = Outbox(job.crm, writer, context.journal, job.clock, context.heartbeat)
    recorder = OutcomeRecorder(summary, pending, ledger, job.clock)
    processor = BatchProcessor(examiner, decider, outbox, recorder, brake)

    def move(passed: Mapping[str, str]) -> None:
        if not brake.pulled:
            cursors.move(passed, job.clock.now())

    tracker = tracker or CursorTracker(move)
    queue = WorkQueue(
        processor,
        tracker,
        job.progress,
        context.heartbeat,
        lambda: screening.exhausted,
        batch_size=job.crm.capabilities.write_batch,
        limit=options.limit,
    )
    own_writes = OwnWrites(context.journal.store, org_id)
    return SyncParts(
        cursors,
        known,
        ledger,
        pending,
        screening,
        brake,
        examiner,
        outbox,
        processor,
        tracker,
        queue,
        own_writes,
        lists,
    )


def _make_screening(
    context: RunContext, mode: RunMode, known: KnownAnswers, ledger: OptOutLedger, history: NumberHistory
) -> Screening:
    job = context.job

    def note_answer(bought: int, cost: float) -> None:
        context.lease.renew(job.clock.now())  # and no more: what is asked about is to be answered before the run ends
        job.progress.bought(bought, cost, job.currency)

    gateway = mode.make_gateway(known, job.clock, note_answer)
    erased = partial(find_erased, job.store)
    return Screening(job.clock, ledger.find_suppressed, gateway, erased, likely=job.policy.likely, history=history)
