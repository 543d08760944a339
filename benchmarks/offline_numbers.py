"""How fast cells are read without any lookup, and whether the answers are those of `phonenumbers`.

    python benchmarks/offline_numbers.py [--rows 50000] [--passes 5]
    python benchmarks/offline_numbers.py --differential 1000000

Every reader runs in a process of its own and takes its turn: one pass of each, then the next pass. Seconds are of
processor time, so that a busy machine matters less. Ratios are those of the medians, over naive `phonenumbers`: parse,
E.164, is_possible, is_valid, number_type and region_code_for_number as anybody writes them, without
`enable_pattern_cache()`. "ringfence table" gives the same five answers for every cell, which is checked first.
"ringfence read_number" is what ringfence uses: it also repairs, explains, and looks for extensions and further numbers.
Before it is measured each reader reads all cells twice; "first" is the ratio of the first of these passes, which fills
tables and caches, over the median of naive ones.

`rphonenumbers` is measured where it is installed (`pip install rphonenumbers`); nothing in ringfence needs it.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from machine import describe_machine
from number_cells import ALL_REGIONS, MIXED_REGIONS, Cell, contact_cells, example_cells, generated_cells
from number_readers import READERS, make_naive, make_table

SETS = {"mixed": MIXED_REGIONS, "US": ("US",), "all": ALL_REGIONS}
SHOWN = 20


class Child:
    """A reader in a process of its own."""

    def __init__(self, name: str, cells: list[Cell]) -> None:
        command = [sys.executable, str(Path(__file__).with_name("number_readers.py")), name]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._say(json.dumps(cells))
        self.first = self.run()
        self.run()
        self.seconds: list[float] = []

    def _say(self, line: str) -> None:
        if self._process.stdin is None or self._process.poll() is not None:
            raise SystemExit("A reader ended early; its error stands above.")
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def run(self) -> float:
        """Return the seconds of processor time of one pass over the cells."""
        self._say("")
        return float(self._process.stdout.readline() if self._process.stdout else "nan")

    def end(self) -> None:
        """End the process."""
        self._process.communicate()


def measure(cells: list[Cell], passes: int) -> dict[str, Child]:
    """Return every reader with its seconds, one pass of each in turn."""
    installed = importlib.util.find_spec("rphonenumbers") is not None
    children = {name: Child(name, cells) for name in READERS if installed or name != "rphonenumbers"}
    for _ in range(passes):
        for child in children.values():
            child.seconds.append(child.run())

    for child in children.values():
        child.end()
    return children


def report(name: str, cells: list[Cell], children: dict[str, Child]) -> None:
    """Print a table for one set of cells."""
    naive = children["naive"]
    base = statistics.median(naive.seconds)
    print(f"\n| {name} ({len(SETS[name])} regions), {len(cells):,} cells | rows/s | ratio | first |\n|---|---|---|---|")
    for reader, child in children.items():
        median = statistics.median(child.seconds)
        print(f"| {reader} | {len(cells) / median:,.0f} | {base / median:.1f} | {base / child.first:.1f} |")


def differences(cells: Iterable[Cell]) -> tuple[int, list[str]]:
    """Return how many cells were read, and a line for each that the table reads otherwise than `phonenumbers`."""
    naive, table = make_naive(), make_table()
    count, lines = 0, []
    for count, cell in enumerate(cells, 1):  # noqa: B007 - the count is the answer
        if naive(*cell) != table(*cell):
            lines.append(f"{cell!r}: {naive(*cell)} and not {table(*cell)}")
    return count, lines


def compare(cells: Iterable[Cell], name: str) -> None:
    """Print how many answers differ; exit 1 when any does."""
    count, lines = differences(cells)
    print(f"{name}: {count:,} cells, {len(lines)} differences", flush=True)
    for line in lines[:SHOWN]:
        print("  " + line)
    if lines:
        raise SystemExit(1)


def main() -> None:
    """Compare, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000, help="cells of each set (default 50,000)")
    parser.add_argument("--passes", type=int, default=5, help="measured passes of each reader (default 5)")
    parser.add_argument("--differential", type=int, metavar="N", help="only compare: examples, mutations, N generated")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS), help="which cells (default: all sets)")
    options = parser.parse_args()
    print(describe_machine())
    if options.differential is not None:
        compare(chain(example_cells(), generated_cells(options.differential)), "examples, mutations, generated")
        return

    for name in options.sets:
        cells = contact_cells(SETS[name], options.rows)
        compare(cells, name)
        report(name, cells, measure(cells, options.passes))


if __name__ == "__main__":
    main()
