"""Who opted out in a file: whatever is not plainly a no, in many languages, and the other way round."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringfence.connectors.spreadsheet import headers
from ringfence.connectors.spreadsheet.detection import detect
from ringfence.connectors.spreadsheet.opt_outs import FlagColumn, OptOuts
from ringfence.connectors.spreadsheet.options import ScreenOptions
from ringfence.connectors.spreadsheet.screening import Summary
from ringfence.core.numbers import read_number

Screen = Callable[..., tuple[bytes, Summary]]
Parse = Callable[..., list[list[str]]]

CASES: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[2] / "cases" / "file_opt_outs.yaml").read_text(encoding="utf-8")
)
NOW = datetime(2026, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize("header", CASES["opt_out"])
def test_a_header_that_names_an_opt_out(header: str) -> None:
    assert (headers.names_opt_out(header), headers.names_consent(header)) == (True, False)


@pytest.mark.parametrize("header", CASES["may_call"])
def test_a_header_that_names_who_may_be_called(header: str) -> None:
    assert (headers.names_opt_out(header), headers.names_consent(header)) == (False, True)


@pytest.mark.parametrize("header", CASES["neither"])
def test_a_header_that_names_neither(header: str) -> None:
    assert not headers.names_permission(header)


@pytest.mark.parametrize("inverse", [False, True], ids=["opt-out", "may call"])
@pytest.mark.parametrize("kind", ["callable", "plain", "otherwise"])
def test_a_filled_cell_opts_out_unless_it_plainly_says_otherwise(kind: str, *, inverse: bool) -> None:
    column = FlagColumn(0, inverse)
    cells = CASES["under_may_call" if inverse else "under_opt_out"][kind]

    for cell in cells:
        assert column.opts_out(cell) is (kind != "callable"), cell
        assert column.is_plain(cell) is (kind != "otherwise"), cell


def test_a_date_of_consent_is_a_yes_and_one_of_its_end_is_not() -> None:
    given = FlagColumn.of(0, "Call consent date", inverse=True)
    ended = FlagColumn.of(0, "Call consent valid until", inverse=True)

    assert (given.opts_out("2024-05-06"), ended.opts_out("2024-05-06")) == (False, True)


@pytest.mark.parametrize(
    "cell",
    ["Jan 5, 2024", "5 March 2024", "5. März 2024", "Fri, January 5th, 2024 10:11 AM", "5-Jan-24", "5 de marzo de 2024",
     "45296", "45296.5", "06.05.2024"],
)  # fmt: skip
def test_a_date_of_consent_may_be_written_in_words_or_as_a_number_of_days(cell: str) -> None:
    column = FlagColumn.of(0, "Opt-in date", inverse=True)

    assert not column.opts_out(cell)


@pytest.mark.parametrize(
    "cell",
    [
        "revoked 5 2024",
        "declined 5, 2024",
        "5 declined 2024",
        "Jan 5, 2024 (ended)",
        "withdrawn Jan 5, 2024",
        "5 March 2024 revoked",
        "12",
        "2024",
        "453",
    ],
)
def test_what_is_no_date_is_no_consent(cell: str) -> None:
    column = FlagColumn.of(0, "Opt-in date", inverse=True)

    assert column.opts_out(cell)


def test_the_file_of_a_crm_with_words_of_its_own_is_read_right(screen: Screen, parse: Parse) -> None:
    text = "Name,Phone,Do not allow Phone Calls\nAnn,+442079460001,Do Not Allow\nBob,+442079460002,Allow\n"

    data, summary = screen(text.encode())

    rows = parse(data.decode())[1:]
    assert [(row[3], row[-1]) for row in rows] == [("do_not_contact", "no"), ("valid", "yes")]
    assert not summary.unclear_opt_outs


def test_an_inverse_column_opts_out_whoever_is_not_plainly_callable(screen: Screen) -> None:
    text = "Phone,Can Call\n+442079460001,No\n+442079460002,Yes\n+442079460003,\n+442079460004,maybe\n"

    _, summary = screen(text.encode())

    assert summary.columns[0].statuses == {"do_not_contact": 2, "valid": 2}
    assert summary.unclear_opt_outs == {"maybe": 1}


def test_an_inverse_column_that_is_named_is_read_the_other_way_round(screen: Screen) -> None:
    text = "Phone,Can Call\n+442079460001,No\n+442079460002,Yes\n"

    _, summary = screen(text.encode(), ScreenOptions(opt_outs=("can call",)))

    assert summary.columns[0].statuses == {"do_not_contact": 1, "valid": 1}


def test_every_number_of_an_opted_out_cell_is_covered_in_other_rows(screen: Screen, screener: Any) -> None:
    text = "Phone,DNC\n415-555-2671 / 415-555-2672,x\n+1 415 555 2671,\n(415) 555-2672,\n4155552673,\n"

    _, summary = screen(text.encode(), ScreenOptions(region="US"))

    assert summary.columns[0].statuses["do_not_contact"] == 3
    assert [cell for batch in screener.batches for cell, _ in batch] == ["4155552673"]


def test_an_identical_cell_that_nobody_can_read_is_covered_too(screen: Screen, screener: Any) -> None:
    text = "Phone,DNC\n020 7946 0018,x\n020-7946-0018,\n020 7946 0019,\n"
    assert read_number("020 7946 0018", None).e164 is None

    _, summary = screen(text.encode())

    assert summary.columns[0].statuses == {"do_not_contact": 2, "unknown": 1}
    assert (summary.opted_out_numbers, summary.opted_out_cells) == (0, 1)


def test_the_texts_of_unclear_cells_are_kept_within_bounds() -> None:
    opt_outs = OptOuts((FlagColumn(0),), NOW)

    for number in range(1500):
        opt_outs.collect([f"reason {number} {'x' * 500}"], [])

    assert opt_outs.unclear.total() == opt_outs.rows == 1500
    assert len(opt_outs.unclear) == 1001
    assert max(map(len, opt_outs.unclear)) == 60


@pytest.mark.parametrize(
    ("text", "phones", "opt_outs"),
    [
        ("Name,Phone No\nAnn,+442079460001\nBob,+442079460002\n", ["Phone No"], []),
        ("Name,No Phone\nAnn,+442079460001\nBob,+442079460002\n", ["No Phone"], []),
        ("Phone,No Calls\n+442079460001,17\n+442079460002,3\n", ["Phone"], []),
        ("Phone,No Calls\n+442079460001,yes\n+442079460002,\n", ["Phone"], ["No Calls"]),
    ],
)
def test_a_no_that_stands_for_number_is_told_by_the_cells(
    tmp_path: Path, text: str, phones: list[str], opt_outs: list[str]
) -> None:
    (tmp_path / "in.csv").write_text(text)

    found = detect(tmp_path / "in.csv", ScreenOptions())

    assert [column.name for column in found.phones] == phones
    assert [column.name for column in found.opt_outs] == opt_outs
