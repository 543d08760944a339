"""Completing what workflows wait for: numbers screened together, and many executions told by one call.

Each step stands on record before the next: the answer before anybody is told of it, the call before it goes out, its
outcome after it. So a job that is killed anywhere is taken up where it was, and only a call that was cut off goes out a
second time.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ringfence.core.errors import RefusedError, RetryError, RingfenceError, SettingsError, StoppedError, Terminated
from ringfence.core.ports.jobs import Jobs
from ringfence.core.ports.workflows import Completing, Completion, Refusal
from ringfence.core.state.executions import Execution, Executions, ExecutionState
from ringfence.core.state.liveness import end_killed_screenings
from ringfence.core.state.store import Store

from ..wiring import Wiring
from .answers import Answerer, NumberAnswer, screen_numbers
from .door import Door
from .portals import CRM, Portal, portal_of
from .waking import wake_records
from .workflow_actions import job_for
from .workflow_outputs import LATE, word

PAGE = 100
"""Executions that are taken up together."""

GATHERED_S = 1.0
"""How long it is waited after a few executions, in seconds, so that those which come meanwhile go together."""

LAST_CALL = timedelta(hours=1)
"""How long before HubSpot waits no longer it is told what is known by then."""

FIRST_AGAIN, LONGEST_AGAIN = timedelta(seconds=20), timedelta(minutes=10)
"""After how long what could not be done is tried again, at least and at most: half as long as it has waited."""

FORGOTTEN_AFTER = timedelta(days=30)
"""After this HubSpot repeats nothing any more, and nobody asks what became of it."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Tally:
    """What became of the executions of a job, by result."""

    results: Counter[str] = field(default_factory=Counter)
    put_off: int = 0


def complete_executions(
    wiring: Wiring,
    jobs: Jobs,
    store: Store,
    account: str,
    portal_id: str,
    door: Door,
    *,
    gathered_s: float = GATHERED_S,
) -> Tally:
    """Screen and complete what waits of a portal, until nothing does whose turn it is, or the door must end.

    What cannot be done now waits, and a job for it is put on record. Raises SettingsError where the account is another
    portal now, Terminated where it had to end before, and the errors that a person has to mend; nothing is lost by any.
    """
    portal = portal_of(wiring.of(account), store, portal_id)
    if portal is None:
        raise SettingsError(
            f"The account {account} is not portal {portal_id}, of which executions wait.",
            "Check its token, or set an account up for that portal; then start the service anew.",
        )
    work = _Work(portal, jobs, store, door)
    try:
        work.run(gathered_s)
    finally:
        work.leave_the_rest()
    return work.tally


class _Work:
    """One job for one portal."""

    def __init__(self, portal: Portal, jobs: Jobs, store: Store, door: Door) -> None:
        self.tally = Tally()
        self._portal = portal
        self._wiring = portal.wiring
        self._jobs = jobs
        self._store = store
        self._door = door
        self._executions = Executions(store.keyring, portal.org_id)

    def run(self, gathered_s: float) -> None:
        with closing(self._wiring.connect(self._portal.account, shapes={}).crm) as crm:
            if not isinstance(crm, Completing):
                raise SettingsError(f"{CRM} completes no workflows.")
            while page := self._take():
                if self._door.must_end():
                    raise Terminated
                self._find_answers([each for each in page if each.state is ExecutionState.ACCEPTED])
                self._complete(crm, [each for each in self._read_again(page) if each.state is ExecutionState.ANSWERED])
                if len(page) < PAGE and gathered_s:
                    self._wiring.clock.sleep(gathered_s)
        with self._store.transaction() as connection:
            self._executions.forget_old(connection, self._now() - FORGOTTEN_AFTER)

    def leave_the_rest(self) -> None:
        """Put a job on record for what had to be put off."""
        with self._store.transaction() as connection:
            turn = self._executions.find_next_turn(connection)
            if turn is not None:
                turn = max(turn, self._now())
                self._jobs.enqueue([job_for(self._portal.account, self._portal.id, turn)], connection)

    def _take(self) -> Sequence[Execution]:
        """Return some executions whose turn it is; those for which HubSpot waits no longer are over."""
        now = self._now()
        with self._store.transaction() as connection:
            found = self._executions.list_due(connection, now, PAGE)
            over = [each.id for each in found if each.expires_at is not None and each.expires_at <= now]
            self._executions.end(connection, over, ExecutionState.EXPIRED, now, "HubSpot waited for it no longer.")
        self.tally.results["expired"] += len(over)
        return [each for each in found if each.id not in over] or (self._take() if over else [])

    def _find_answers(self, page: Sequence[Execution]) -> None:
        """Screen the numbers of executions, those with one purpose together, and put the answers on record."""
        by_purpose: defaultdict[str | None, list[Execution]] = defaultdict(list)
        for each in page:
            by_purpose[each.asked.get("purpose")].append(each)
        for purpose, some in by_purpose.items():
            with self._putting_off(some):
                self._screen([each for each in some if each.asked.get("phone")], purpose)
                self._give_up([each for each in some if not each.asked.get("phone")])

    def _screen(self, some: Sequence[Execution], purpose: str | None) -> None:
        cells = [(each.asked["phone"], each.asked["country"]) for each in some]
        answers = screen_numbers(self._wiring, self._store, self._door, cells, purpose=purpose)
        owed = []
        with self._store.transaction() as connection:
            for each, answer in zip(some, answers, strict=True):
                if answer is None:
                    owed.append(each)
                    continue
                self._executions.answer(connection, each, answer.as_json())
                if each.asked["records"]:
                    # In the same step: the sync that follows finds what was bought, and buys nothing.
                    wake_records(
                        self._wiring,
                        self._store,
                        self._jobs,
                        self._portal.account,
                        each.asked["records"],
                        within=connection,
                    )
        self._put_off_or_give_up(owed)

    def _put_off_or_give_up(self, owed: Sequence[Execution]) -> None:
        """Let executions wait for another attempt, but those for which there is no time left.

        An answer that another process was waiting for is lost where that was killed: then the next attempt says so.
        """
        if owed:
            end_killed_screenings(self._store, self._now())
        late = [each for each in owed if self._now() >= _last_call(each)]
        self._put_off([each for each in owed if each not in late])
        self._give_up(late)

    def _give_up(self, some: Sequence[Execution]) -> None:
        """Answer with what is known, for nothing more will be in time; a number that was erased is known no more."""
        if not some:
            return
        answerer = Answerer(self._wiring, self._store)
        with self._store.transaction() as connection:
            for each in some:
                phone = each.asked.get("phone")
                known = _know(answerer, each) if phone else None
                answer = {**(known.as_json() if known is not None else {}), LATE: True}
                self._executions.answer(connection, each, answer)

    def _put_off(self, some: Sequence[Execution]) -> None:
        now = self._now()
        with self._store.transaction() as connection:
            for each in some:
                again = now + min(max((now - each.accepted_at) / 2, FIRST_AGAIN), LONGEST_AGAIN)
                last = _last_call(each)
                self._executions.put_off(connection, each, min(again, last) if now < last else again)
        self.tally.put_off += len(some)

    def _read_again(self, page: Sequence[Execution]) -> Iterator[Execution]:
        with self._store.transaction() as connection:
            found = [self._executions.find(connection, each.callback_id) for each in page]
        yield from (each for each in found if each is not None)

    def _complete(self, crm: Completing, answered: Sequence[Execution]) -> None:
        """Tell HubSpot, some executions at a time; a call that it refuses is divided until it is clear which it is."""
        for start in range(0, len(answered), crm.completion_batch):
            some = answered[start : start + crm.completion_batch]
            with self._putting_off(some):
                self._call(crm, some)

    def _call(self, crm: Completing, some: Sequence[Execution]) -> None:
        ids = [each.id for each in some]
        with self._store.transaction() as connection:
            self._executions.begin_call(connection, ids, self._now())
        refused = crm.complete([Completion(each.callback_id, word(each.answer)) for each in some])
        if refused is None:
            self._end(ids, ExecutionState.COMPLETED)
            return
        self._end_call(some)
        if len(some) > 1:
            half = len(some) // 2
            self._call(crm, some[:half])
            self._call(crm, some[half:])
            return
        if some[0].was_called:
            # A call with it was cut off earlier; so that one had got there.
            self._end(ids, ExecutionState.COMPLETED, refused.words)
            return
        state = ExecutionState.EXPIRED if refused.refusal is Refusal.GONE else ExecutionState.FAILED
        logger.warning("HubSpot does not take the completion of an execution: %s", refused.words)
        self._end(ids, state, refused.words)

    def _end_call(self, some: Sequence[Execution]) -> None:
        """Record that a call was refused; of those in one that was cut off earlier it is still open what became."""
        with self._store.transaction() as connection:
            self._executions.end_call(connection, [each.id for each in some if not each.was_called])

    def _end(self, ids: Sequence[int], state: ExecutionState, said: str = "") -> None:
        with self._store.transaction() as connection:
            self._executions.end(connection, ids, state, self._now(), said)
        self.tally.results[state.value] += len(ids)

    @contextmanager
    def _putting_off(self, some: Sequence[Execution]) -> Iterator[None]:
        """Let executions wait for another attempt where the block ends with an error; one that passes goes no further.

        What a person has to mend goes on, so that the job shows it.
        """
        try:
            yield
        except (StoppedError, RetryError) as error:
            self._after(some)
            logger.warning("Executions of workflows have to wait: %s", error)
        except RingfenceError as error:
            if isinstance(error, RefusedError):
                self._end_call(some)
            self._after(some)
            raise

    def _after(self, some: Sequence[Execution]) -> None:
        waiting = [each for each in self._read_again(some) if each.waits]
        accepted = [each for each in waiting if each.state is ExecutionState.ACCEPTED]
        self._put_off([each for each in waiting if each.state is ExecutionState.ANSWERED])
        self._put_off_or_give_up(accepted)

    def _now(self) -> datetime:
        return self._wiring.clock.now()


def _last_call(execution: Execution) -> datetime:
    return (execution.expires_at or execution.accepted_at) - LAST_CALL


def _know(answerer: Answerer, execution: Execution) -> NumberAnswer:
    cell = (execution.asked["phone"], execution.asked["country"])
    (looked,) = answerer.look([cell], execution.asked["purpose"])
    return looked.answer()
