"""A screener that asks nobody, and a way to screen bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ringfence.connectors.spreadsheet.options import ScreenOptions
from ringfence.connectors.spreadsheet.screener import CellVerdict
from ringfence.connectors.spreadsheet.screening import Summary, screen_file
from ringfence.core.model.verdicts import judge, offline_facts
from ringfence.core.numbers import read_number

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


class OfflineScreener:
    """Judges by the numbering plan alone; keeps the cells of each batch."""

    def __init__(self) -> None:
        self.batches: list[list[tuple[str, str | None]]] = []

    def screen(self, cells: Sequence[tuple[str, str | None]], times: Sequence[int]) -> list[CellVerdict]:
        assert len(times) == len(cells)
        assert min(times) > 0
        self.batches.append(list(cells))
        numbers = [read_number(*cell) for cell in cells]
        return [CellVerdict.of(judge(offline_facts(number, NOW)), number) for number in numbers]


class FixedClock:
    """Stands still, one minute after the screener's evidence."""

    def now(self) -> datetime:
        return NOW.replace(minute=7)

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody waits here")


@pytest.fixture
def screener() -> OfflineScreener:
    return OfflineScreener()


@pytest.fixture
def screen(tmp_path: Path, screener: OfflineScreener) -> Callable[..., tuple[bytes, Summary]]:
    """Screen the bytes of a file; returns the bytes of the result and the summary."""

    def run(data: bytes, options: ScreenOptions | None = None, name: str = "in.csv") -> tuple[bytes, Summary]:
        source = tmp_path / name
        target = source.with_stem("out")
        source.write_bytes(data)
        target.unlink(missing_ok=True)
        summary = screen_file(source, target, options or ScreenOptions(), screener, lambda *_: None, FixedClock())
        return target.read_bytes(), summary

    return run


@pytest.fixture
def parse() -> Callable[..., list[list[str]]]:
    """Read CSV text as the standard library does."""

    def read(text: str, delimiter: str = ",") -> list[list[str]]:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))

    return read
