"""Opt-outs behind the sample, in columns that nobody took for opt-outs, are told of once the file is screened."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ringfence.connectors.spreadsheet.detection import SAMPLE_ROWS
from ringfence.connectors.spreadsheet.options import ScreenOptions
from ringfence.connectors.spreadsheet.screening import Summary

Screen = Callable[..., tuple[bytes, Summary]]


def rows(count: int) -> list[str]:
    return [f"{i},stage {i % 3},+44207946{i % 10000:04}" for i in range(count)]


@pytest.mark.parametrize(
    ("stage", "notes"),
    [
        ("Do not call", ("Column 'Stage': not used, but a cell says 'Do not call'; --opt-out takes it.",)),
        ("Do not e-mail", ()),
    ],
)
def test_a_flag_behind_the_sample_is_told_of(screen: Screen, stage: str, notes: tuple[str, ...]) -> None:
    lines = ["id,Stage,Phone", *rows(SAMPLE_ROWS + 5), f"last,{stage},+442079460001"]

    _, summary = screen("\n".join(lines).encode(), ScreenOptions())

    assert summary.overlooked == notes


def test_a_column_of_names_is_looked_at_no_further(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.connectors.spreadsheet.overlooked.MOST_TEXTS", 50)
    lines = ["id,Stage,Phone", *(f"{i},name {i},+442079460000" for i in range(6000)), "last,Do not call,+442079460001"]

    _, summary = screen("\n".join(lines).encode(), ScreenOptions())

    assert summary.overlooked == ()
