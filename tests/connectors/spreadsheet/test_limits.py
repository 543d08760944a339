"""Files that are large, wide or odd on purpose."""

from __future__ import annotations

import codecs
import csv
import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ringfence.connectors.spreadsheet import xlsx_size
from ringfence.connectors.spreadsheet.companions import plan_layout
from ringfence.connectors.spreadsheet.detection import detect
from ringfence.connectors.spreadsheet.options import ScreenOptions
from ringfence.connectors.spreadsheet.screening import Summary, screen_file
from ringfence.core.errors import FileError

Screen = Callable[..., tuple[bytes, Summary]]
Parse = Callable[..., list[list[str]]]


def test_two_thousand_columns_called_phone_are_named_in_no_time() -> None:
    started = time.perf_counter()

    layout = plan_layout(["Phone"] * 20_000, range(20_000))

    assert layout.appended_names[-1] == "rf_phone_20000_callable"
    assert time.perf_counter() - started < 2


def test_many_columns_called_phone_are_screened(screen: Screen, parse: Parse) -> None:
    width = 300
    text = ",".join(["Phone"] * width) + "\n" + ",".join(["+442079460001"] * width) + "\n"

    data, summary = screen(text.encode())

    assert len(set(parse(data.decode())[0][width:])) == 7 * width
    assert len(summary.columns) == width


def pack(path: Path, texts: int) -> None:
    """Write a workbook whose shared texts unpack to so many bytes."""
    workbook = openpyxl.Workbook()
    workbook.active.append(["Phone"])
    workbook.active.append(["+442079460001"])
    workbook.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/sharedStrings.xml"] = b" " * texts
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def test_a_workbook_that_unpacks_to_too_much_is_refused_in_plain_words(
    tmp_path: Path, screener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx_size, "MOST_HELD", 5 * 1024**2)
    pack(tmp_path / "in.xlsx", 6 * 1024**2)
    assert (tmp_path / "in.xlsx").stat().st_size < 100_000

    with pytest.raises(FileError, match="its texts, unpacked, take 6 MB, and at most 5 MB are read") as caught:
        screen_file(tmp_path / "in.xlsx", tmp_path / "out.xlsx", ScreenOptions(), screener, lambda *_: None)

    assert "CSV" in caught.value.remedy


def test_sheets_have_a_limit_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack(tmp_path / "in.xlsx", 10)
    assert detect(tmp_path / "in.xlsx", ScreenOptions()).rows == 1

    monkeypatch.setattr(xlsx_size, "MOST_STREAMED", 1000)
    with pytest.raises(FileError, match="its sheets, unpacked"):
        detect(tmp_path / "in.xlsx", ScreenOptions())


def test_a_workbook_for_which_memory_does_not_suffice_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    pack(tmp_path / "in.xlsx", 10)
    monkeypatch.setattr(openpyxl, "load_workbook", fail)
    with pytest.raises(FileError, match="more than fits into memory"):
        detect(tmp_path / "in.xlsx", ScreenOptions())


@pytest.mark.parametrize("delimiter", ["^", "~", "#", "¦", "§", ":", "*"])
def test_a_rare_delimiter_is_found_where_it_cuts_all_rows_evenly(screen: Screen, parse: Parse, delimiter: str) -> None:
    rows = [["Name", "Phone", "DNC"], ["Ann Lee-Roe", "+442079460001", "yes"], ["Bob", "+44 20 7946 0002", ""]]
    text = "".join(delimiter.join(row) + "\n" for row in rows)

    data, summary = screen(text.encode())

    assert [row[:3] for row in parse(data.decode(), delimiter)] == rows
    assert summary.columns[0].statuses == {"do_not_contact": 1, "valid": 1}


@pytest.mark.parametrize("text", ["Phone\n+44 20 7946 0001\n+44 20 7946 0002\n", "Phone\n#1: +442079460001\n2\n"])
def test_a_file_of_one_column_stays_one(screen: Screen, tmp_path: Path, text: str) -> None:
    screen(text.encode())

    assert detect(tmp_path / "in.csv", ScreenOptions()).columns == ("Phone",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_two_byte_order_marks_are_read_as_one_and_kept(screen: Screen, encoding: str) -> None:
    mark = {"utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE}[encoding]

    data, summary = screen(mark * 2 + "Phone,Name\n+442079460001,Ann\n".encode(encoding))

    assert summary.columns[0].name == "Phone"
    assert data.startswith(mark * 2 + "Phone,Name,rf_phone_status".encode(encoding))


FORMULAS = ["=HYPERLINK(1)", "+cmd|' /C calc'!A0", "@SUM(1)", "-2+3+cmd|x", "\t=1+1", "\r=1", " =1+1", "＝1+1"]  # noqa: RUF001


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_formula_in_a_phone_cell_is_none_in_our_columns(screen: Screen, parse: Parse, cell: str) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([["Phone"], [cell]])

    data, _ = screen(out.getvalue().encode(), ScreenOptions(phones=("Phone",)))

    row = parse(data.decode())[1]
    assert row[0] == cell
    assert row[5] == "'" + cell.strip()
    assert not any(value.lstrip()[:1] in "=@" for value in row[1:] if value)


@pytest.mark.parametrize("cell", ["+442079460018", "+44 (0)20 7946-0018", "+1-415-555-2671", "-"])
def test_a_number_as_people_write_it_stays_as_it_is(screen: Screen, parse: Parse, cell: str) -> None:
    data, _ = screen(f"Phone\n{cell}\n".encode(), ScreenOptions(phones=("Phone",)))

    assert parse(data.decode())[1][5] == cell


@pytest.mark.parametrize("cell", ["=1+1", "#N/A", "+442079460018"])
def test_our_cells_of_a_workbook_are_texts(tmp_path: Path, screener: Any, cell: str) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(["Phone"])
    workbook.active.append([cell])
    workbook.active["A2"].data_type = "s"
    workbook.save(tmp_path / "in.xlsx")

    options = ScreenOptions(phones=("Phone",))
    screen_file(tmp_path / "in.xlsx", tmp_path / "out.xlsx", options, screener, lambda *_: None)

    screened = openpyxl.load_workbook(tmp_path / "out.xlsx").active["F2"]
    assert (screened.value, screened.data_type) == (cell, "s")


def test_figures_of_a_workbook_are_read_as_their_format_shows_them(tmp_path: Path, screener: Any) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(["Phone"])
    for value, number_format in [(442079460018, r"\+0;"), (2079460018, "00000000000"), (442079460018.0, '"+"0')]:
        workbook.active.append([value])
        workbook.active.cell(workbook.active.max_row, 1).number_format = number_format
    workbook.save(tmp_path / "in.xlsx")

    options = ScreenOptions(region="GB")
    screen_file(tmp_path / "in.xlsx", tmp_path / "out.xlsx", options, screener, lambda *_: None)

    assert screener.batches == [[("+442079460018", "GB"), ("02079460018", "GB")]]
