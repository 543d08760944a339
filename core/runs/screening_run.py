"""A screening that no CRM belongs to, of a number or of a file: a run of the history, under the opt-outs of the store.

While it is in the history as running, its questions to providers keep other runs from taking them for lost answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ..errors import RingfenceError, StoppedError, Terminated
from ..ports.lookup import Lookup
from ..ports.services import Clock
from ..screening.buying import BuyingGateway, OnAnswer
from ..screening.gateway import KnownAnswers
from ..screening.screening import Screening, SuppressionCheck
from ..state.cursors import list_orgs
from ..state.journal import Journal
from ..state.lookup_cache import LookupCache
from ..state.opt_out_ledger import OptOutLedger
from ..state.run_history import RunOutcome, new_run_id
from ..state.store import Store


@dataclass(frozen=True, slots=True)
class ScreeningJob:
    """All that such a run needs.

    ``door`` names it in the history, in the place of a CRM. Answers count for ``max_age``. ``sandbox`` asks the
    opt-outs of the sandbox accounts in place of those of the production accounts. ``on_answer`` is told what was
    bought so far. ``explain`` returns an error in the words of the door.
    """

    door: str
    store: Store
    clock: Clock
    max_age: timedelta
    lookups: Sequence[Lookup] = ()
    max_lookups: int | None = None
    sandbox: bool = False
    on_answer: OnAnswer = lambda _paid, _cost: None
    explain: Callable[[RingfenceError], str] = str
    options: Mapping[str, Any] = field(default_factory=dict)


@contextmanager
def open_screening(job: ScreeningJob) -> Iterator[Screening]:
    """Yield the screening of the run, and keep in the history how the block ends. Every error passes on."""
    run_id = new_run_id(job.clock.now())
    journal = Journal(job.store, run_id)
    screening = Screening(job.clock, _opt_outs(job, run_id), _gateway(job, run_id))
    outcome, error = RunOutcome.FAILED, None
    journal.begin(job.door, None, job.clock.now(), dry_run=False, options=job.options)

    try:
        yield screening
        outcome = RunOutcome.DONE if _is_complete(screening) else RunOutcome.STOPPED
    except RingfenceError as fault:
        outcome = RunOutcome.STOPPED if isinstance(fault, StoppedError) else RunOutcome.FAILED
        error = job.explain(fault)
        raise
    except (KeyboardInterrupt, Terminated):
        outcome, error = RunOutcome.INTERRUPTED, "interrupted"
        raise
    finally:
        journal.end(job.clock.now(), outcome, _summary(job, run_id, screening), error)


def _gateway(job: ScreeningJob, run_id: str) -> BuyingGateway | None:
    if not job.lookups:
        return None
    known = KnownAnswers(LookupCache(job.store, run_id), job.lookups, job.max_age)
    return BuyingGateway(known, job.clock, max_lookups=job.max_lookups, on_answer=job.on_answer)


def _opt_outs(job: ScreeningJob, run_id: str) -> SuppressionCheck:
    """Return the check that asks the ledgers of all accounts of one kind; sandboxes where there is nothing else."""
    orgs = list_orgs(job.store)
    of_this_kind = [org_id for org_id, production in orgs if production is not job.sandbox]
    asked = of_this_kind or ([] if job.sandbox else [org_id for org_id, _ in orgs])
    ledgers = [OptOutLedger(job.store, org_id, run_id, job.clock) for org_id in asked]

    def find_suppressed(numbers: Any) -> frozenset[str]:
        return frozenset().union(*(ledger.covered(numbers) for ledger in ledgers))

    return find_suppressed


def _is_complete(screening: Screening) -> bool:
    return not screening.exhausted and not screening.tally.failed


def _summary(job: ScreeningJob, run_id: str, screening: Screening) -> dict[str, Any]:
    tally = screening.tally
    return {
        "run_id": run_id,
        "crm": job.door,
        "complete": _is_complete(screening),
        "lookups": tally.lookups,
        "lookup_cache_hits": tally.cache_hits,
        "lookups_lost": tally.lost,
    }
