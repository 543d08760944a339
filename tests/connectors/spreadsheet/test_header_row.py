"""Headers below titles and blank rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ringfence.connectors.spreadsheet.detection import detect
from ringfence.connectors.spreadsheet.options import ScreenOptions
from ringfence.connectors.spreadsheet.screening import Summary, screen_file
from ringfence.core.errors import UsageError

Screen = Callable[..., tuple[bytes, Summary]]

TABLE = "Name,Phone,Do Not Call\nAnn,+442079460001,yes\nBob,+442079460002,no\n"


@pytest.mark.parametrize(
    ("above", "row"),
    [
        ("", 1),
        ("\n", 2),
        ("Contacts export\n\n", 3),
        ("Contacts export,,\nCreated,2024-11-30 12:00,\n", 3),
        ("Created by,Ann\n,,\n", 3),
        ("Phone list 2024-11-30 12:00:00\n", 2),
        ("All phones\nof the sales team\n\n\n", 5),
    ],
)
def test_a_header_below_titles_is_found_and_they_stay_as_they_are(screen: Screen, above: str, row: int) -> None:
    data, summary = screen((above + TABLE).encode())

    assert data.decode().startswith(above + "Name,Phone,Do Not Call,rf_phone_status,")
    assert (summary.rows, summary.columns[0].name) == (2, "Phone")
    assert summary.columns[0].statuses == {"do_not_contact": 1, "valid": 1}
    assert any(f"found in row {row};" in note for note in summary.notes) == (row > 1)


@pytest.mark.parametrize(
    ("text", "row", "columns"),
    [
        ("Ann,Mobile,+442079460001\nBob,Home,+442079460002\n", None, ("column_1", "column_2", "column_3")),
        ("Name,\nAnn,+442079460001\n", 1, ("Name", "column_2")),
        ("Phone,,\n+442079460001,Ann,x\n", 1, ("Phone", "column_2", "column_3")),
        ("Name,Kind,Ruf\nAnn,Mobile,\nBob,Phone,+442079460001\n", 1, ("Name", "Kind", "Ruf")),
        ("Contacts export\n\nPhone\n+442079460001\n", 3, ("Phone",)),
        ("Contacts export\nPhone\n+442079460001\n", 2, ("Phone",)),
        ("Phone\n\n+442079460001\n", 1, ("Phone",)),
        ("+442079460001\n+442079460002\n", None, ("column_1",)),
        ("+442079460001,,\nBob,Mobile,+442079460002\n", None, ("column_1", "column_2", "column_3")),
        ("Hotline: +442079460000,,\nName,Phone,DNC\nAnn,+442079460001,\n", 2, ("Name", "Phone", "DNC")),
        ("Name,Phone,2024\nAnn,,5\nBob,,6\n", 1, ("Name", "Phone", "2024")),
    ],
)
def test_which_row_is_the_header(tmp_path: Path, text: str, row: int | None, columns: Any) -> None:
    (tmp_path / "in.csv").write_text(text)

    found = detect(tmp_path / "in.csv", ScreenOptions(delimiter=","))

    assert (found.header_row, found.columns) == (row, columns)


def test_titles_do_not_hide_the_delimiter(tmp_path: Path) -> None:
    above = "Export of 2024-11-30\nTotal: 2 contacts\n\n"
    (tmp_path / "in.csv").write_text(above + "First;Last;Phone;Price\nA;B;+442079460001;1,50\n")

    found = detect(tmp_path / "in.csv", ScreenOptions())

    assert (found.format["delimiter"], found.header_row) == (";", 4)
    assert found.columns == ("First", "Last", "Phone", "Price")


def test_a_stated_header_row_wins(screen: Screen) -> None:
    text = "Name,Phone,DNC\nID,Ruf,Sperre\nAnn,+442079460001,x\n"

    data, summary = screen(text.encode(), ScreenOptions(header_row=2))

    assert data.decode().splitlines()[:2] == [
        "Name,Phone,DNC",
        "ID,Ruf,Sperre," + ",".join(f"rf_ruf_{name}" for name in
            ("status", "reason", "e164", "line_type", "screened_value", "last_screened", "callable")),
    ]  # fmt: skip
    assert summary.columns[0].statuses == {"do_not_contact": 1}


@pytest.mark.parametrize("row", [0, 2, 4, 31])
def test_a_stated_header_row_that_is_none_is_refused(screen: Screen, row: int) -> None:
    with pytest.raises(UsageError, match=f"Row {row} holds no header"):
        screen(b"Phone\n\n+442079460001\n", ScreenOptions(header_row=row))


def test_a_header_row_and_no_header_contradict_each_other(screen: Screen) -> None:
    with pytest.raises(UsageError, match="no header row"):
        screen(b"Phone\n+442079460001\n", ScreenOptions(header_row=1, header=False))


@pytest.mark.parametrize("lead", [[["Contacts export"], []], [[], []], [["Contacts export", None, None]]])
def test_titles_of_a_workbook_are_skipped_and_kept(tmp_path: Path, screener: Any, lead: list[list[str]]) -> None:
    workbook = openpyxl.Workbook()
    table = [["Name", "Phone", "DNC"], ["Ann", "+442079460001", True], ["Bob", "+442079460002", False]]
    for place, row in enumerate([*lead, *table], 1):
        for column, value in enumerate(row, 1):
            workbook.active.cell(place, column, value)
    workbook.save(tmp_path / "in.xlsx")

    summary = screen_file(tmp_path / "in.xlsx", tmp_path / "out.xlsx", ScreenOptions(), screener, lambda *_: None)

    rows = [list(row) for row in openpyxl.load_workbook(tmp_path / "out.xlsx").active.iter_rows(values_only=True)]
    assert [row[0] for row in rows[: len(lead)]] == [row[0] if row else None for row in lead]
    assert rows[len(lead)][:4] == ["Name", "Phone", "DNC", "rf_phone_status"]
    assert [row[3] for row in rows[len(lead) + 1 :]] == ["do_not_contact", "valid"]
    assert summary.rows == 2
