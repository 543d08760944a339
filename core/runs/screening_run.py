"""A screening that no CRM belongs to, of a number or of a file: a run of the history, under the opt-outs of the store.

While it is in the history as running, its questions to providers keep other runs from taking them for lost answers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..errors import RingfenceError, StoppedError, Terminated
from ..evidence.history import NumberHistory
from ..model.blocks import Block, Channel
from ..model.caps import NO_CAPS, Caps
from ..model.evidence_rules import EvidenceRules
from ..model.policy import Policy
from ..model.run_outcome import RunOutcome
from ..ports.lookup import Lookup
from ..ports.services import Clock
from ..screening.buying import BuyingGateway, OnAnswer
from ..screening.gateway import KnownAnswers
from ..screening.prices import refuse_unpriced
from ..screening.rehearsing import RehearsingGateway
from ..screening.routing import Routing
from ..screening.screening import Screening
from ..state.erased import find_erased
from ..state.journal import Journal
from ..state.lookup_cache import LookupCache
from ..state.lookup_history import DoubtWatch
from ..state.run_history import new_run_id
from ..state.store import Store
from ..suppression.question import SuppressionQuestion, ask_ledger, choose_blocked
from .spending import spending_to_json


@dataclass(frozen=True, slots=True)
class ScreeningJob:
    """All that such a run needs.

    ``door`` names it in the history, in the place of a CRM. ``policy`` tells how long answers count, and who is
    asked. ``ledger`` names the
    suppression ledger that is asked; ``sandbox`` asks the flags of its sandbox accounts in place of those of the
    production accounts. ``crm_realms`` name the orgs whose own fresh companions count as answers. ``on_answer`` is told
    what was bought so far. ``explain`` returns an error in the words of the door.
    """

    door: str
    store: Store
    clock: Clock
    policy: Policy
    lookups: Sequence[Lookup] = ()
    crm_realms: Sequence[str] = ()
    caps: Caps = NO_CAPS
    ledger: str = ""
    sandbox: bool = False
    evidence: EvidenceRules = field(default_factory=EvidenceRules)
    on_answer: OnAnswer = lambda _paid, _cost: None
    explain: Callable[[RingfenceError], str] = str
    options: Mapping[str, Any] = field(default_factory=dict)


@contextmanager
def open_screening(job: ScreeningJob) -> Iterator[Screening]:
    """Yield the screening of the run, and keep in the history how the block ends. Every error passes on."""
    run_id = new_run_id(job.clock.now())
    journal = Journal(job.store, run_id)
    erased = partial(find_erased, job.store)
    blocked = _Blocked(ask_ledger(job.store, job.ledger, job.clock, sandbox=job.sandbox))
    screening = Screening(
        job.clock,
        blocked.for_calls,
        _gateway(job, run_id),
        erased,
        find_without_messages=blocked.for_messages,
        likely=job.policy.likely,
        history=NumberHistory(job.store, job.ledger, job.evidence, job.policy.max_age),
    )
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


@contextmanager
def rehearse_screening(job: ScreeningJob) -> Iterator[Screening]:
    """Yield a screening that counts what it would buy, and neither buys nor leaves anything: no run, no answer."""
    with job.store.rehearsal() as store:
        blocked = _Blocked(ask_ledger(store, job.ledger, job.clock, sandbox=job.sandbox))
        cache = LookupCache(store, new_run_id(job.clock.now()), job.caps)
        gateway = RehearsingGateway(_known(job, cache)) if job.lookups else None
        erased = partial(find_erased, store)
        yield Screening(job.clock, blocked.for_calls, gateway, erased, likely=job.policy.likely)


def _gateway(job: ScreeningJob, run_id: str) -> BuyingGateway | None:
    if not job.lookups:
        return None
    watch = DoubtWatch(job.store.keyring, job.ledger, job.policy.unreachable)
    refuse_unpriced(job.caps, job.lookups)
    cache = LookupCache(job.store, run_id, job.caps, watch=watch)
    return BuyingGateway(_known(job, cache), job.clock, on_answer=job.on_answer)


def _known(job: ScreeningJob, cache: LookupCache) -> KnownAnswers:
    routing = Routing.of(job.policy, job.lookups)
    return KnownAnswers(cache, job.lookups, job.policy.max_age, job.crm_realms, routing=routing)


class _Blocked:
    """Whom the suppression ledger keeps from calls, and whom from messages.

    It is asked about every batch as that comes; what it says of messages is then of the same moment.
    """

    def __init__(self, question: SuppressionQuestion) -> None:
        self._question = question
        self._asked: Collection[str] = ()
        self._found: Mapping[str, Sequence[Block]] = {}

    def for_calls(self, numbers: Collection[str]) -> Mapping[str, Block]:
        """Return those of the numbers that must not be called, with what says best how that ends."""
        self._asked, self._found = numbers, self._question.find(numbers)
        return choose_blocked(self._found, Channel.VOICE)

    def for_messages(self, numbers: Collection[str]) -> Mapping[str, Block]:
        """Return those of the numbers that must not be texted."""
        found = self._found if numbers == self._asked else self._question.find(numbers)
        return choose_blocked(found, Channel.SMS)


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
        "lookup_duplicates": tally.duplicates,
        "spending": spending_to_json(tally, job.caps.currency),
        "lookups_lost": tally.lost,
    }
