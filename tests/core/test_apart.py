"""Numbers read by another process: the same as here, and here where it cannot be had."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence.connectors.memory import companion_name
from ringfence.core.apart import NumberReader
from ringfence.core.mapping import parse_mapping, resolve
from ringfence.core.numbers import read_number
from ringfence.core.reading import Reading
from ringfence.core.values import Record

MAPPING = "crm: memory\nobjects: {people: {phones: {phone: {}, mobile: {}}, region: {field: country, default: US}}}\n"
SHAPE = resolve(parse_mapping(MAPPING, "test"), companion_name)["people"]
CELLS = [
    "+1 415 555 2671",
    "(415) 555-2671 ext. 12",
    "415-555-2671 / 415-555-2672",
    "1-800-FLOWERS",
    "+49 (0)30 123456.0",
    "\u0664\u0661\u0665 555 2671",
    "415 555 xxxx",
    "\x00\ud800 rubbish",
    "9" * 10_000,
    "",
]


@pytest.fixture
def reader() -> Iterator[NumberReader]:
    with NumberReader() as made:
        yield made


def people(cells: list[str] = CELLS, **more: str) -> list[Reading]:
    rows = [{"phone": cell, "mobile": cells[-1 - n], "country": "Germany", **more} for n, cell in enumerate(cells)]
    return [Reading(Record("people", str(n), row), SHAPE) for n, row in enumerate(rows)]


def numbers(readings: list[Reading]) -> list[object]:
    return [reading.number(slot) for reading in readings for slot in SHAPE.slots]


def test_another_process_reads_what_this_one_would(reader: NumberReader, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [read_number(cell.strip(), "DE") for pair in zip(CELLS, reversed(CELLS), strict=True) for cell in pair]
    readings = people()
    reader.fill(readings[:5])
    reader.fill(readings[5:])
    reader.fill([])
    asked: list[str] = []
    monkeypatch.setattr(
        "ringfence.core.reading.read_number", lambda raw, region: asked.append(raw) or read_number(raw, region)
    )
    assert numbers(readings) == expected
    assert set(asked) == {""}


def test_what_the_companions_tell_is_not_read(reader: NumberReader) -> None:
    told = {"rf_phone_e164": "+14155552671", "rf_phone_screened_value": "+1 415 555 2671"}
    (reading,) = people(["+1 415 555 2671"], **told)
    assert [field for field, _, _ in reading.unread()] == ["mobile"]
    reader.fill([reading])
    assert reading.all_e164s() == ("+14155552671",)


def test_without_another_process_numbers_are_read_here(
    reader: NumberReader, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    readings = people()
    for _ in range(2):
        reader.fill(readings)
    assert numbers(readings) == numbers(people())
    assert caplog.text.count("one process only") == 1


def test_a_process_that_dies_is_done_without(reader: NumberReader, caplog: pytest.LogCaptureFixture) -> None:
    reader.fill(people())
    assert reader._process is not None
    reader._process.kill()
    readings = people()
    reader.fill(readings)
    assert reader._process is None
    assert numbers(readings) == numbers(people())
    assert caplog.text.count("one process only") == 1


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux")
def test_the_process_ends_with_whoever_is_killed() -> None:
    code = (
        "import os, signal; from ringfence.core.apart import NumberReader; reader = NumberReader(); reader.start();"
        "print(reader._process.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False)
    assert done.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 20
    while _is_alive(int(done.stdout)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
