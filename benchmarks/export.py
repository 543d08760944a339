"""How fast and how small an export is, from a CRM that makes its records up while they are read.

One child process for each size: what a connector and the network take is measured by ``end_to_end.py``, here stands
what an export adds. One record in fifty has opted out, and the ledger holds as many numbers more. Prints records per
second, the CPU time (which a busy machine changes less) and the peak memory, which must not grow with the records:
exits 1 where it does by more than a tenth.

    python benchmarks/export.py [--records 100000]
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ringfence.connectors.memory import companion_name
from ringfence.connectors.spreadsheet.list_file import open_list
from ringfence.core.clock import SystemClock
from ringfence.core.config.mapping import parse_mapping, resolve
from ringfence.core.decisions.exports import ExportList
from ringfence.core.model.blocks import BlockKind, BlockSource, Channel, NewEntry
from ringfence.core.model.values import Companion, Record
from ringfence.core.ports.crm import Org, Page
from ringfence.core.runs.export import AccountExport, ExportJob
from ringfence.core.runs.export_spool import ExportRow, Spool
from ringfence.core.state.blocks import Blocks
from ringfence.core.state.store import Store, open_store
from ringfence.core.suppression.question import SuppressionQuestion

MAPPING = "{crm: memory, objects: {people: {phones: {phone: {}, mobile: {}}, opt_out: {field: optout}}}}"
SHAPES = resolve(parse_mapping(MAPPING, "benchmark"), companion_name)
PAGE, SILENT = 2_000, 50
NOW = datetime(2026, 11, 30, tzinfo=UTC)
GROWTH = 1.1


def make_record(number: int) -> Record:
    """Return a person with two screened numbers; one in fifty has opted out."""
    values: dict[str, Any] = {"optout": number % SILENT == 0}
    for slot, prefix in zip(SHAPES["people"].slots, ("+1212", "+4474"), strict=True):
        e164 = f"{prefix}{2_000_000 + number % 7_000_000}" if prefix == "+1212" else f"{prefix}{number % 10**8:08}"
        values[slot.field] = e164
        says = {"status": "valid", "reason": "allocated: well formed", "e164": e164, "screened_value": e164}
        values |= {slot.companions[companion]: says.get(companion) for companion in Companion}
        values[slot.companions[Companion.LAST_SCREENED]] = NOW
    return Record("people", f"{number:018}", values)


def make_feed(records: int) -> SimpleNamespace:
    """Return the reads of an account with so many people."""

    def pages(step: int = 1) -> Iterator[Page]:
        size = PAGE * step
        for start in range(0, records, size):
            some = range(start, min(start + size, records), step)
            yield Page("people", [make_record(each) for each in some], total=records)

    return SimpleNamespace(
        flagged=lambda: pages(SILENT),
        changed=pages,
        flagged_meanwhile=lambda: iter(()),
        due=lambda _before: iter(()),
    )


def fill_ledger(store: Store, numbers: int) -> None:
    """Put so many entries on the ledger."""
    blocks = Blocks(store.keyring, "")
    with store.transaction() as connection:
        for each in range(numbers):
            e164 = make_record(each * SILENT + 1).values["phone"]
            entry = (str(e164), BlockKind.DNC_INTERNAL, Channel.ALL, BlockSource.PERSON, "asked", "bench", NOW)
            blocks.add(connection, NewEntry(*entry))


def measure(records: int) -> None:
    """Export so many people in this process, and print seconds, rows and the peak memory in MB."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/ringfence.db", None)
        fill_ledger(store, records // SILENT)
        clock, org = SystemClock(), Org("memory", "1", "Benchmark", production=True)
        crm: Any = SimpleNamespace(
            open_feed=lambda _cursors: make_feed(records), capabilities=SimpleNamespace(threads=False)
        )
        question = SuppressionQuestion(store, "", clock, production=True)
        asked = ExportList.CALLABLE, Channel.VOICE
        export = AccountExport(ExportJob(crm, org, SHAPES, store, clock, "memory", question, {}, *asked))

        started, began, rows = time.perf_counter(), time.process_time(), 0
        target = Path(folder) / "list.csv"
        with (
            Spool(Path(folder)) as spool,
            target.open("wb") as file,
            open_list(file, ExportRow._fields, excel=False) as writer,
        ):
            export.read(spool)
            for page in spool.pages():
                kept = export.check_again(page)
                writer.write(kept)
                rows += len(kept)
        seconds, cpu = time.perf_counter() - started, time.process_time() - began
        store.close()
    scale = 1 if sys.platform == "darwin" else 1024
    print(f"{seconds:.2f} {rows} {cpu:.2f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1e6:.1f}")


def main() -> None:
    """Measure two sizes, each in a process of its own, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        measure(options.records)
        return

    peaks = []
    for records in (options.records, 4 * options.records):
        command = [sys.executable, __file__, "--child", "--records", str(records)]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        seconds, rows, cpu, peak = float(told[0]), int(told[1]), float(told[2]), float(told[3])
        peaks.append(peak)
        pace = f"{seconds:6.1f} s  {records / seconds:8,.0f} records/s  {cpu:6.1f} s CPU"
        print(f"{records:>9,} records  {rows:>9,} rows  {pace}  {peak:6.1f} MB")
    if peaks[1] > peaks[0] * GROWTH:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
