"""How fast and how small the import of a register is, and how fast the questions are that its list is asked.

Writes a file of that many numbers in the layout of the US list, takes it in with an empty state store, and asks: one
number as ``suppress check`` does, and a page of 2,000 as a sync does. Prints numbers per second by the clock and by CPU
time (which a busy machine changes less), the peak memory, and the size of the state.

    python benchmarks/lists.py [--numbers 10000000] [--state URL]
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from ringfence.connectors.spreadsheet.registers import open_list
from ringfence.core.clock import SystemClock
from ringfence.core.model.blocks import Channel
from ringfence.core.state.list_imports import NewVersion
from ringfence.core.state.listings import Listings
from ringfence.core.state.store import Store, open_store
from ringfence.core.suppression.list_intake import ListOrder, take_in_list

PAGE, QUESTIONS = 2_000, 200
AREAS = range(201, 990)
AN_AREA = 7_000_000
"""Numbers of an area code."""


def number(at: int) -> tuple[int, int]:
    """Return the area code and the rest of the number in that place; neighbours lie in different areas."""
    return AREAS[at % len(AREAS)], 2_000_000 + at // len(AREAS) % AN_AREA


def write_list(path: Path, numbers: int) -> None:
    """Write a file of so many numbers."""
    with path.open("w", encoding="ascii") as stream:
        for at in range(numbers):
            area, rest = number(at)
            stream.write(f"{area},{rest}\r\n")


def take_in(store: Store, path: Path) -> tuple[int, float, float]:
    """Import the file, and return how many numbers are on the list, and the seconds and CPU seconds it took."""
    began, cpu = time.perf_counter(), time.process_time()
    file = open_list(path, "US")
    version = NewVersion("us-dnc", "US", Channel.ALL, datetime(2026, 11, 1, tzinfo=UTC), None, file.sha256(), "bench")
    done = take_in_list(store, "", SystemClock(), ListOrder(version), file.rows, lambda _done, _of: None)
    return done.change.numbers, time.perf_counter() - began, time.process_time() - cpu


def median_ms(question: Callable[[int], object], times: int) -> float:
    """Return the median of the milliseconds of CPU time that a question takes."""
    taken = []
    for each in range(times):
        began = time.process_time()
        question(each)
        taken.append((time.process_time() - began) * 1000)
    return statistics.median(taken)


def main() -> None:
    """Measure, and print a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--numbers", type=int, default=10_000_000)
    parser.add_argument("--state", help="SQLAlchemy URL of an empty store; a new file unless told")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.txt"
        write_list(path, arguments.numbers)
        database = Path(folder) / "state.db"
        store = open_store(arguments.state or f"sqlite:///{database}", os.environ.get("RINGFENCE_ENCRYPTION_KEY"))
        listed, seconds, cpu = take_in(store, path)
        print(f"import: {listed:,} numbers, {listed / seconds:,.0f}/s, {listed / cpu:,.0f} a CPU second")
        print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")

        listings = Listings(store.keyring, "")
        with store.transaction() as connection:

            def ask(first: int, count: int) -> int:
                places = (number((first * count + at) * 2) for at in range(count))
                return len(listings.find(connection, [f"+1{area}{rest}" for area, rest in places]))

            print(f"one number: {median_ms(lambda each: ask(each, 1), QUESTIONS):.2f} ms")
            print(f"a page of {PAGE:,}: {median_ms(lambda each: ask(each, PAGE), 20):.1f} ms")
        store.close()
        if database.exists():
            print(f"state: {sum(each.stat().st_size for each in database.parent.glob('state.db*')) // 1_000_000} MB")


if __name__ == "__main__":
    main()
