"""Rows a second, CRM calls and peak memory of whole syncs over the loopback sandbox, beside what people use instead.

For each size and each delay a fresh sandbox CRM runs in a process of its own, filled with contacts that nobody has
screened. ``ringfence sync`` runs three times, as a process, with journal, encryption and an SQLite file: the first
sync, the run after it, which reads its own echo, and the idle one after that. Then the plain scripts of
plain_scripts.py do the same work, one update a row (a sample of them) and in batches, and ``--tap`` only reads.

Between runs the CRM's clock alone is moved ahead, past what is read again for safety (5 minutes of Salesforce, an hour
of HubSpot). Windows are taken from the CRM's clock, so that waiting would give the same.

Times are those of whole processes. Exits 1 when a promised figure is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from children import Figures, compile_rooms, run_ringfence, run_script
from loopback import Loopback
from machine import describe_machine
from state_stores import ENGINES, new_store
from taps import run_tap

PAST_THE_OVERLAP_S = {"salesforce": 600, "hubspot": 7_500}
ROWS_A_CALL = {"salesforce": 200, "hubspot": 100}
RUNS = ("first sync", "run after", "idle run")
MAX_PEAK_MB = 300
MOST_CALLS = {"run after": 60, "idle run": 12}
LEAST_RATIOS = (10.0, 1.0)
"""Rows written a second against the script that writes row by row, and against the one that writes in batches.

Like the calls these are promised for 100,000 Salesforce contacts and no delay.
"""

COLUMNS = ("", "rows", "written", "seconds", "rows/s", "calls", "by purpose", "fewest", "peak MB", "CPU s", "sandbox s")


def main() -> None:
    """Measure what was asked for, print a table for each size and delay, and judge."""
    given = _parse()
    print(f"{describe_machine()}\n")
    failures = []
    compile_rooms()

    for crm in given.crm:
        for records in given.records:
            for latency, state in product(given.latency, given.state):
                store = "" if state == "sqlite" else f", state on {state}"
                print(f"### {crm.title()}, {records:,} contacts, {latency} ms added to every call{store}\n")
                print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
                lines = []
                for figures in _measure(crm, records, latency, state, given):
                    lines.append(figures)
                    print(f"| {' | '.join(_cells(figures))} |", flush=True)
                print(f"\n{_ratios(lines)}", flush=True)
                missed = _missed(crm, records, latency, lines)
                failures += [f"{crm}, {records:,} contacts, {latency} ms: {words}" for words in missed]

    if failures:
        sys.exit("missed: " + "; ".join(failures))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crm", type=_words, default=["salesforce", "hubspot"], help="salesforce, hubspot or both")
    parser.add_argument("--records", type=_numbers, default=[10_000, 100_000], help="contacts, comma separated")
    parser.add_argument("--latency", type=_numbers, default=[0, 50], help="milliseconds, comma separated")
    parser.add_argument("--state", type=_words, default=["sqlite"], help="sqlite, postgresql or both")
    parser.add_argument("--sample", type=int, default=5_000, help="rows to write one by one; a tenth of it with delay")
    parser.add_argument("--alone", action="store_true", help="ringfence only")
    parser.add_argument("--tap", type=Path, action="append", default=[], metavar="FILE", help="an installed Singer tap")
    given = parser.parse_args()
    if unknown := set(given.crm) - PAST_THE_OVERLAP_S.keys():
        parser.error(f"no such CRM: {', '.join(unknown)}")
    if unknown := set(given.state) - set(ENGINES):
        parser.error(f"no such state store: {', '.join(unknown)}")
    return given


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


def _numbers(text: str) -> list[int]:
    return [int(word.replace("_", "")) for word in _words(text)]


def _measure(crm: str, records: int, latency: int, state: str, given: argparse.Namespace) -> Iterator[Figures]:
    with Loopback(crm, records, latency) as sandbox:
        with tempfile.TemporaryDirectory() as folder, new_store(state) as settings:
            for name in RUNS:
                yield run_ringfence(sandbox, crm, name, Path(folder), settings)
                sandbox.advance(PAST_THE_OVERLAP_S[crm])

        if given.alone:
            return
        yield run_script(sandbox, crm, 1, given.sample // 10 if latency else given.sample)
        yield run_script(sandbox, crm, ROWS_A_CALL[crm], None)
        for tap in given.tap:
            if tap.name == f"tap-{crm}":
                yield run_tap(sandbox, crm, tap)


def _cells(figures: Figures) -> list[str]:
    purposes = ", ".join(f"{count} {name}" for name, count in (figures.purposes or {}).items())
    about = "" if figures.sampled is None else "~"
    return [
        figures.name + ("" if figures.sampled is None else f" (from {figures.sampled:,})"),
        f"{figures.rows:,}",
        f"{about}{figures.written:,}",
        f"{about}{figures.seconds:,.1f}",
        f"{about}{figures.pace:,.0f}",
        f"{about}{figures.calls:,}",
        purposes,
        "" if figures.fewest is None else f"{figures.fewest:,}",
        f"{figures.cost.peak_mb:,.0f}",
        f"{figures.cost.cpu_s:,.1f}",
        f"{figures.cost.sandbox_cpu_s:,.1f}",
    ]


def _compare(lines: list[Figures]) -> list[tuple[float, str]]:
    """Return the pace of the first sync over that of each script, in rows written a second."""
    first, scripts = lines[0], [line for line in lines[len(RUNS) :] if line.written]
    return [((first.written / first.seconds) / (one.written / one.seconds), one.name) for one in scripts]


def _ratios(lines: list[Figures]) -> str:
    ratios = [f"{ratio:.1f} times the {name}" for ratio, name in _compare(lines)]
    return f"Rows written a second, first sync: {', '.join(ratios)}.\n" if ratios else ""


def _missed(crm: str, records: int, latency: int, lines: list[Figures]) -> Iterator[str]:
    promised = (crm, records, latency) == ("salesforce", 100_000, 0)
    for figures in lines[: len(RUNS)]:
        if figures.cost.peak_mb > MAX_PEAK_MB:
            yield f"{figures.name} takes {figures.cost.peak_mb:.0f} MB"
        if figures.name != RUNS[0] and figures.written:
            yield f"{figures.name} writes {figures.written} rows"
        if promised and figures.calls > MOST_CALLS.get(figures.name, figures.calls):
            yield f"{figures.name} makes {figures.calls} calls"

    for (ratio, name), least in zip(_compare(lines), LEAST_RATIOS, strict=False):
        if promised and ratio < least:
            yield f"{ratio:.1f} times the {name}"


if __name__ == "__main__":
    main()
