"""Checks that somebody asked for, bought by a job: put on record durably, each number once, and carried out in batches.

A job tells nothing but that there is something to do; the numbers wait in the state, encrypted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from math import inf

from sqlalchemy import Connection

from ringfence.core.errors import Terminated
from ringfence.core.ports.jobs import JobRequest, JobRun, Jobs
from ringfence.core.ports.services import Clock
from ringfence.core.state.asked_checks import ask_checks, forget_asked, list_asked, note_tried, settle_checks
from ringfence.core.state.store import Store

from ..wiring import Wiring
from .answers import screen_numbers
from .door import Door

ASKED_CHECKS = "asked_checks"
"""The kind of job."""

AGAIN = "again"
"""The argument of a job for numbers that were tried in vain."""

BATCH = 100
"""Numbers of one run at most."""

WAITED_FOR = timedelta(days=1)
"""How long a check is tried: after that whoever asked has asked again, or does not care."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 60.0, 3600.0
"""The pause before numbers are tried again, in seconds; each is twice the one before."""

PRIORITY = 20
"""Somebody waits for these: they come before what is scheduled."""

ENDS_WITHIN_S = 10.0
"""How long an answer that is on its way may be waited for once the process must end, in seconds."""


def queue_checks(store: Store, jobs: Jobs, clock: Clock, numbers: Collection[str]) -> None:
    """Put paid checks of these E.164 numbers on record, and a job that carries them out; one job waits at a time.

    Once this returns, they are carried out whatever happens to this process. Raises StateError where the store does
    not work.
    """
    if not numbers:
        return
    with store.transaction() as connection:
        ask_checks(connection, store.keyring, numbers, clock.now())
        jobs.enqueue([job_for_checks()], within=connection)


def carry_out_checks(wiring: Wiring, run: JobRun, door: Door) -> str:
    """Buy the checks that wait, within the caps, and return what was done; what could not be told is tried again.

    Raises Terminated where the job must end, the errors of the wiring, and StateError where the store does not work.
    """
    again = bool(run.job.arguments.get(AGAIN))
    with closing(wiring.open_state()) as store:
        with store.transaction() as connection:
            forget_asked(connection, wiring.clock.now() - WAITED_FOR)
        done = owed = 0
        for numbers in _batches(store, run, again=again):
            settled, left = _carry_out(wiring, store, door, numbers, run)
            done, owed = done + settled, owed + left
            run.report({"checked": done, "left": owed})
            if again and left:
                break  # the same ones would come again
    return f"{done} checked" + (f", {owed} left for later" if owed else "")


def _batches(store: Store, run: JobRun, *, again: bool) -> Iterator[list[str]]:
    """Yield the numbers that wait until none do. Raises Terminated where the job must end."""
    while True:
        if run.must_end():
            raise Terminated
        with store.transaction() as connection:
            numbers = list_asked(connection, store.keyring, BATCH, again=again)
        if not numbers:
            return
        yield numbers


def _carry_out(wiring: Wiring, store: Store, door: Door, numbers: list[str], run: JobRun) -> tuple[int, int]:
    """Screen numbers; return how many are settled, and how many are tried again later."""
    answers = screen_numbers(
        wiring,
        store,
        door,
        [(number, None) for number in numbers],
        patience=lambda: ENDS_WITHIN_S if run.must_end() else inf,
    )
    if run.must_end():
        raise Terminated
    owed = [number for number, answer in zip(numbers, answers, strict=True) if answer is None]
    with store.transaction() as connection:
        settle_checks(connection, store.keyring, set(numbers).difference(owed))
        if owed:
            tries = note_tried(connection, store.keyring, owed)
            _try_later(wiring, store, connection, tries)
    return len(numbers) - len(owed), len(owed)


def _try_later(wiring: Wiring, store: Store, connection: Connection, tries: int) -> None:
    pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(tries - 1, 10))
    request = job_for_checks(again=True, run_at=wiring.clock.now() + timedelta(seconds=pause_s))
    wiring.open_jobs(store).enqueue([request], within=connection)


def job_for_checks(*, again: bool = False, run_at: datetime | None = None) -> JobRequest:
    """Return the job that carries out checks never tried, or ``again`` those tried in vain; one of each waits."""
    name = f"{ASKED_CHECKS}:{AGAIN}" if again else ASKED_CHECKS
    return JobRequest(
        ASKED_CHECKS, {AGAIN: True} if again else {}, lock=name, queueing_lock=name, priority=PRIORITY, run_at=run_at
    )
