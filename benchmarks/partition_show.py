"""A sync in partitions by one worker, by two, and by two of which one is killed on the way."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crew import Command, Crew
from end_states import AT_ONCE, Difference, find_difference
from loopback import Loopback, Tally
from state_stores import new_store

PAST_THE_OVERLAP_S = 600
LEAST_RATIO = 1.6
"""Rows a second of two workers over those of one; promised for 100,000 contacts, 20 s a job and 50 ms a call."""

PROMISED_FROM_S = 20
KILL_AT = 0.4
"""When a worker is killed, as a share of the time that the unbroken run took."""

SHOWN = 5
"""How many of the differing fields are named."""

COLUMNS = ("workers", "rows", "written", "seconds", "rows/s", "next sync writes", "calls", "in one second", "refused")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One sync in partitions: how many workers, what it did, and what the CRM counted and holds at the end.

    ``lost`` answers it tells of. ``contacts`` is the file of what the contacts held then; the sync after it writes
    ``next_written`` records and buys ``next_bought`` numbers. Where lost answers are asked for then, ``asked_again`` is
    what the contacts hold in the end, and ``bought_again`` the numbers that this has bought.
    """

    name: str
    seconds: float
    rows: int
    written: int
    lost: int
    next_written: int
    next_bought: int
    tally: Tally
    contacts: Path
    asked_again: Path | None = None
    bought_again: int = 0

    @property
    def pace(self) -> float:
        """Return rows a second."""
        return self.rows / self.seconds


def show_partitions(given: argparse.Namespace) -> list[str]:
    """Print a line for each of the syncs, and return what did not hold."""
    print(
        f"### Salesforce, {given.records:,} contacts, {given.partitions} partitions, {given.job_seconds:g} s a job, "
        f"{given.call_ms} ms a call\n"
    )
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
    found: dict[str, Outcome] = {}
    with tempfile.TemporaryDirectory() as kept:
        for name, outcome in _outcomes(given, Path(kept)):
            found[name] = outcome
            print(f"| {' | '.join(_cells(outcome, lookups=given.lookups))} |", flush=True)
        return _judge(given, found)


def _outcomes(given: argparse.Namespace, kept: Path) -> Iterator[tuple[str, Outcome]]:
    if "partitions" in given.shows:
        yield "one", _sync(given, "1", 1, kept / "one")
    two = _sync(given, "2", 2, kept / "two")
    yield "two", two
    if "kill" in given.shows:
        yield "killed", _sync(given, "2, one of them killed", 2, kept / "killed", kill_after=KILL_AT * two.seconds)


def _sync(
    given: argparse.Namespace, name: str, workers: int, contacts: Path, kill_after: float | None = None
) -> Outcome:
    with _world(given, workers) as (sandbox, crew, settings, folder):
        words = ["sync", "salesforce", "--yes", *(["--confirm-cost"] if given.lookups else [])]
        command = Command([*words, "--partitions", str(given.partitions)], settings, folder)
        if kill_after is not None:
            time.sleep(kill_after)
            crew.kill(0)
        seconds, document = command.result()
        crew.check()
        tally = sandbox.tally()
        sandbox.write_contacts(contacts)
        sandbox.advance(PAST_THE_OVERLAP_S)
        _, later = Command(words, settings, folder).result()
        outcome = Outcome(
            name,
            seconds,
            rows=_sum(document, "read"),
            written=_sum(document, "written"),
            lost=document["lookups_lost"],
            next_written=_sum(later, "written"),
            next_bought=sandbox.tally().lookups - tally.lookups,
            tally=tally,
            contacts=contacts,
        )
        if kill_after is None or not given.lookups:
            return outcome

        before, asked_again = sandbox.tally().lookups, contacts.with_suffix(".asked_again")
        Command([*words, "--rescreen", "--retry-lost-lookups"], settings, folder).result()
        sandbox.write_contacts(asked_again)
        return replace(outcome, asked_again=asked_again, bought_again=sandbox.tally().lookups - before)


@contextmanager
def _world(given: argparse.Namespace, workers: int) -> Iterator[tuple[Loopback, Crew, Mapping[str, str], Path]]:
    options = ["--job-seconds", str(given.job_seconds), *(["--lookups"] if given.lookups else [])]
    with (
        Loopback("salesforce", given.records, given.call_ms, options) as sandbox,
        new_store("postgresql") as store,
        tempfile.TemporaryDirectory() as name,
    ):
        settings = {**sandbox.settings, **store, "RINGFENCE_LOOKUP__MAX_PER_DAY": str(10 * given.records)}
        _prepare(settings, Path(name))
        with Crew(settings, Path(name), workers) as crew:
            yield sandbox, crew, settings, Path(name)


def _prepare(settings: Mapping[str, str], folder: Path) -> None:
    """Let one process make the state's tables, so that none of those measured has to."""
    Command(["runs", "list"], settings, folder).result()


def _sum(document: Mapping[str, Any], what: str) -> int:
    return sum(each[what] for each in document["objects"].values())


def _cells(outcome: Outcome, *, lookups: bool) -> list[str]:
    tally = outcome.tally
    bought = f", {tally.lookups:,} bought, {tally.bought_twice} twice" if lookups else ""
    return [
        outcome.name,
        f"{outcome.rows:,}",
        f"{outcome.written:,}",
        f"{outcome.seconds:.1f}",
        f"{outcome.pace:,.0f}",
        f"{outcome.next_written}{bought}",
        f"{tally.requests:,}",
        f"{tally.busiest_second}",
        f"{tally.refused}",
    ]


def _judge(given: argparse.Namespace, found: Mapping[str, Outcome]) -> list[str]:
    two, lost, missed = found["two"], 0, []
    for key, each in found.items():
        difference = find_difference(two.contacts, each.contacts)
        lost += len(difference.lost)
        amiss = _unpromised(difference, two, each, most_lost=AT_ONCE if key == "killed" else 0)
        missed += [f"{each.name} workers: {what}" for what in amiss]
    print("" if missed else f"\nThe contacts are the same at the end of each{_but_for(lost)}.")
    if "one" in found:
        ratio = two.pace / found["one"].pace
        print(f"Two workers write {ratio:.2f} times the rows a second of one.\n", flush=True)
        if ratio < LEAST_RATIO and given.job_seconds >= PROMISED_FROM_S:
            missed.append(f"{ratio:.2f} times the rows a second, {LEAST_RATIO} promised")
    return missed


def _unpromised(difference: Difference, two: Outcome, each: Outcome, most_lost: int) -> list[str]:
    """Return what did not hold: a killed worker takes a few answers along, which are told, not bought, and no more."""
    missed = []
    if each.next_written or each.next_bought:
        missed.append(f"the next sync writes {each.next_written} and buys {each.next_bought}")
    if each.tally.bought_twice:
        missed.append(f"{each.tally.bought_twice} bought twice")
    if difference.others:
        shown = "; ".join(difference.others[:SHOWN])
        missed.append(f"the contacts are not those of two workers in {len(difference.others)} fields: {shown}")
    if len(difference.lost) > min(each.lost, most_lost) or (each.lost and not most_lost):
        missed.append(f"{len(difference.lost)} numbers lack an answer, {each.lost} told, {most_lost} at the most")
    if not 0 <= two.tally.lookups - each.tally.lookups <= each.lost:
        missed.append(f"{each.tally.lookups} bought and {each.lost} lost, where two workers buy {two.tally.lookups}")
    if each.asked_again is not None:
        left = find_difference(two.contacts, each.asked_again)
        if left.lost or left.others or each.bought_again != len(difference.lost):
            others = "; ".join(left.others[:SHOWN])
            missed.append(
                f"asked for again, {each.bought_again} of {len(difference.lost)} lost answers are bought and "
                f"{len(left.lost)} lost, with {len(left.others)} fields that differ: {others}"
            )
    return missed


def _but_for(lost: int) -> str:
    return f", but for {lost} numbers whose answers the killed worker took along" if lost else ""
