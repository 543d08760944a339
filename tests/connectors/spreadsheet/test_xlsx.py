"""Excel workbooks: values kept, companions added, other sheets carried over."""

from __future__ import annotations

import random
import sys
import zipfile
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ringfence.connectors.spreadsheet.detection import detect
from ringfence.connectors.spreadsheet.options import ScreenOptions
from ringfence.connectors.spreadsheet.screening import Summary, screen_file
from ringfence.core.errors import FileError, UsageError

MORNING = datetime(2024, 1, 2, 3, 4, 5)  # noqa: DTZ001 - Excel knows no time zones
HEADER = ["Name", "Phone", "Country", "Since", "Do not call"]
ROWS = [
    ["Ann", "+44 20 7946 0001", "UK", MORNING, None],
    ["Bob", 2025550143.0, "US", date(2024, 1, 2), None],
    ["=1+1", 442079460003, "UK", time(3, 4), "x"],
    ["Dora", None, None, 12.5, None],
    [True, "+442079460003", "UK", None, None],
]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "People"

    for row in [HEADER, *ROWS]:
        sheet.append(row)

    sheet["A4"].data_type = "s"
    sheet["D2"].number_format = "dd.mm.yyyy hh:mm"
    other = workbook.create_sheet("Other")
    other.append(["kept", 1, 2.5, MORNING])
    other.sheet_state = "hidden"
    path = tmp_path / "in.xlsx"
    workbook.save(path)
    workbook.close()

    return path


def run(
    source: Path, screener: Any, options: ScreenOptions | None = None, target: str = "out.xlsx"
) -> tuple[Any, Summary]:
    """Screen a workbook; returns the result as read by openpyxl, and the summary."""
    path = source.with_name(target)
    summary = screen_file(source, path, options or ScreenOptions(), screener, lambda *_: None)
    return openpyxl.load_workbook(path), summary


def values(sheet: Any) -> list[list[object]]:
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def test_values_keep_their_kind_and_companions_come_behind(book: Path, screener: Any) -> None:
    result, summary = run(book, screener)
    before = openpyxl.load_workbook(book)["People"]
    rows = values(result["People"])

    assert [row[:5] for row in rows] == values(before)
    names = ("status", "reason", "e164", "line_type", "screened_value", "last_screened", "callable")
    assert rows[0][5:] == [f"rf_phone_{name}" for name in names]
    assert [row[7] for row in rows[1:]] == ["+442079460001", "+12025550143", "+442079460003", None, "+442079460003"]
    assert rows[2][9] == "2025550143"
    assert result["People"]["D2"].number_format == "dd.mm.yyyy hh:mm"
    assert result["People"]["A4"].data_type == "s"
    assert (summary.rows, summary.columns[0].empty, summary.opted_out_numbers) == (5, 1, 1)
    assert summary.columns[0].statuses == {"valid": 2, "do_not_contact": 2}


def test_other_sheets_are_carried_over_in_their_place(book: Path, screener: Any) -> None:
    result, _ = run(book, screener)

    assert result.sheetnames == ["People", "Other"]
    assert values(result["Other"]) == [["kept", 1, 2.5, MORNING]]
    assert result["Other"].sheet_state == "hidden"


def test_screening_the_result_again_changes_only_what_is_ours(book: Path, screener: Any) -> None:
    first, _ = run(book, screener)
    again, _ = run(book.with_name("out.xlsx"), screener, target="again.xlsx")

    assert [row[:10] for row in values(again["People"])] == [row[:10] for row in values(first["People"])]
    assert len(values(again["People"])[0]) == 12


def test_a_sheet_can_be_named(book: Path, screener: Any) -> None:
    with pytest.raises(UsageError, match="looks like phone numbers"):
        run(book, screener, ScreenOptions(sheet="Other"))

    with pytest.raises(FileError, match="no sheet 'Nope'") as caught:
        detect(book, ScreenOptions(sheet="Nope"))

    assert "People, Other" in caught.value.remedy


def test_zeros_that_only_the_format_shows_are_read(tmp_path: Path, screener: Any) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(["Phone"])
    workbook.active.append([2079460018])
    workbook.active["A2"].number_format = "00000000000"
    workbook.save(tmp_path / "in.xlsx")
    result, _ = run(tmp_path / "in.xlsx", screener, ScreenOptions(region="GB"))

    assert values(result.active)[1][3] == "+442079460018"
    assert screener.batches == [[("02079460018", "GB")]]


def test_a_wrong_dimension_loses_no_row(book: Path, screener: Any, tmp_path: Path) -> None:
    lying = tmp_path / "lying.xlsx"
    with zipfile.ZipFile(book) as source, zipfile.ZipFile(lying, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "xl/worksheets/sheet1.xml":
                assert b'<dimension ref="A1:E6"' in data
                data = data.replace(b'<dimension ref="A1:E6"', b'<dimension ref="A1:A1"')
            target.writestr(name, data)

    result, _ = run(lying, screener)

    assert [row[:5] for row in values(result["People"])] == values(openpyxl.load_workbook(book)["People"])


def test_formulas_come_out_as_values_and_uncalculated_ones_are_announced(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(["Phone", "Sum"])
    workbook.active.append(["+442079460018", "=1+1"])
    workbook.save(tmp_path / "in.xlsx")
    found = detect(tmp_path / "in.xlsx", ScreenOptions())

    assert "no colours, widths, charts or formulas" in found.notes[0]
    assert "never calculated" in found.notes[1]
    assert found.format == {"kind": "xlsx", "sheet": "Sheet"}


def test_a_formula_that_was_never_calculated_does_not_pass_for_empty(tmp_path: Path, screener: Any) -> None:
    workbook = openpyxl.Workbook()
    for row in (
        ["Phone", "Do not call"],
        ["+442079460001", '=IF(1=1,"Yes","No")'],
        ["+442079460002", "=TRUE()"],
        ["+442079460003", None],
        ['=CONCATENATE("+44","2079460004")', "no"],
    ):
        workbook.active.append(row)
    workbook.save(tmp_path / "in.xlsx")

    result, summary = run(tmp_path / "in.xlsx", screener)

    rows = values(result.active)[1:]
    assert [row[2] for row in rows] == ["do_not_contact", "do_not_contact", "valid", "unknown"]
    assert summary.unclear_opt_outs == {"(formula never calculated)": 2}
    assert (rows[0][1], rows[3][0]) == ("(formula never calculated)",) * 2


def test_a_formula_whose_value_is_an_empty_text_is_empty(tmp_path: Path, screener: Any) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(["Phone", "Do not call"])
    workbook.active.append(["+442079460001", '=IF(1=2,"Yes","")'])
    workbook.save(tmp_path / "made.xlsx")
    with zipfile.ZipFile(tmp_path / "made.xlsx") as source, zipfile.ZipFile(tmp_path / "in.xlsx", "w") as target:
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, data.replace(b'<c r="B2">', b'<c r="B2" t="str">'))

    _, summary = run(tmp_path / "in.xlsx", screener)

    assert summary.columns[0].statuses == {"valid": 1}
    assert not any("never calculated" in note for note in summary.notes)


def test_gaps_between_rows_stay_gaps(tmp_path: Path, screener: Any) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(["Phone"])
    workbook.active["A4"] = "+442079460018"
    workbook.save(tmp_path / "in.xlsx")
    result, summary = run(tmp_path / "in.xlsx", screener)

    assert [row[0] for row in values(result.active)] == ["Phone", None, None, "+442079460018"]
    assert summary.columns[0].empty == 2


@pytest.mark.parametrize("damage", ["truncated", "no workbook", "broken sheet", "broken stream"])
def test_a_damaged_workbook_is_one_clear_error(book: Path, screener: Any, tmp_path: Path, damage: Any) -> None:
    bad = tmp_path / "bad.xlsx"
    if damage == "truncated":
        bad.write_bytes(book.read_bytes()[:2000])
    elif damage == "broken stream":
        with zipfile.ZipFile(book) as source:
            start = source.getinfo("xl/worksheets/sheet1.xml").header_offset + 60

        data = book.read_bytes()
        bad.write_bytes(data[:start] + b"\xff" * 40 + data[start + 40 :])
    else:
        with zipfile.ZipFile(book) as source, zipfile.ZipFile(bad, "w") as target:
            for name in source.namelist():
                data = source.read(name)
                if name == "xl/worksheets/sheet1.xml" and damage == "broken sheet":
                    data = data[: len(data) // 2]
                if name != "xl/workbook.xml" or damage == "broken sheet":
                    target.writestr(name, data)
    with pytest.raises(FileError, match="not a readable workbook"):
        run(bad, screener)

    assert not (tmp_path / "out.xlsx").exists()


@pytest.mark.parametrize("size", [40, 20_000])
def test_bytes_that_are_no_workbook_are_refused_by_name(tmp_path: Path, size: int) -> None:
    path = tmp_path / "r.xlsx"
    path.write_bytes(random.Random(size).randbytes(size))
    with pytest.raises(FileError, match=r"r\.xlsx is called a workbook and is none") as caught:
        detect(path, ScreenOptions())

    assert ".xlsx" in caught.value.remedy


def test_an_empty_sheet_is_refused(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.save(tmp_path / "in.xlsx")
    with pytest.raises(FileError, match="no first row"):
        detect(tmp_path / "in.xlsx", ScreenOptions())


@pytest.mark.parametrize("suffix", [".xlsm", ".ods", ".xlsb"])
def test_other_workbooks_are_refused(book: Path, suffix: str) -> None:
    path = book.rename(book.with_suffix(suffix))
    with pytest.raises(FileError, match="a workbook of a kind that is not read"):
        detect(path, ScreenOptions())


def test_a_workbook_called_csv_is_refused(book: Path) -> None:
    with pytest.raises(FileError, match="a zip archive or an Excel workbook"):
        detect(book.rename(book.with_suffix(".csv")), ScreenOptions())


def test_excel_to_csv_and_sheets_of_a_csv_are_refused(book: Path, screener: Any) -> None:
    with pytest.raises(UsageError, match="would not be"):
        run(book, screener, target="out.csv")

    book.with_name("in.csv").write_text("phone\n")
    with pytest.raises(UsageError, match="has no sheets"):
        detect(book.with_name("in.csv"), ScreenOptions(sheet="People"))


def test_without_the_extra_the_error_names_it(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    monkeypatch.delitem(sys.modules, "ringfence.connectors.spreadsheet.xlsx_table", raising=False)
    with pytest.raises(FileError) as caught:
        detect(book, ScreenOptions())

    assert "ringfence[excel]" in caught.value.remedy


def test_an_interrupt_leaves_nothing(book: Path) -> None:
    class Interrupted:
        def screen(self, cells, times):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(book, Interrupted())

    assert [path.name for path in book.parent.iterdir()] == ["in.xlsx"]
