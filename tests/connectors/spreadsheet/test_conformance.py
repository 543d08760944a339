"""What every CSV file is promised: its dialect, its encoding, its order, and every cell of it."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.connectors.spreadsheet.options import ScreenOptions
from ringfence.connectors.spreadsheet.screening import Summary

Screen = Callable[..., tuple[bytes, Summary]]
Parse = Callable[..., list[list[str]]]

NEW = 7
PEOPLE = {
    "utf-8": ["Zoë 李", "Ünal", "Łukasz"],
    "utf-16-le": ["Zoë 李", "Ünal", "Łukasz"],
    "utf-16-be": ["Zoë 李", "Ünal", "Łukasz"],
    "cp1252": ["Jürgen Groß", "André Lefèvre", "Begoña Núñez"],
    "cp1251": ["Иван Петров", "Мария Смирнова", "Ольга Кузнецова"],
    "cp932": ["山田太郎", "鈴木花子", "タナカ イチロウ"],
    "gb18030": ["张三丰", "李小龙", "王大明"],
}
BOMS = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}


def table(people: list[str], delimiter: str, end: str, quoting: int) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow(["id", "name", "phone", "country", "note"])
    for number in range(60):
        name = people[number % len(people)]
        note = ["plain", f'says "{name}"', f"one{delimiter}two", "line one" + end + "line two", ""][number % 5]
        writer.writerow([str(number), name, f"+44 20 7946 0{number:03}", "UK", note])
    return out.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", PEOPLE)
def test_each_dialect_in_each_encoding_comes_out_as_it_went_in(
    screen: Screen, parse: Parse, delimiter: str, encoding: str
) -> None:
    for end, quoting in itertools.product(("\n", "\r\n", "\r"), (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)):
        text = table(PEOPLE[encoding], delimiter, end, quoting)
        bom = BOMS.get(encoding, b"")
        data, summary = screen(bom + text.encode(encoding))

        assert data.startswith(bom)

        rows = parse(data.removeprefix(bom).decode(encoding), delimiter)

        assert [row[:-NEW] for row in rows] == parse(text, delimiter)
        assert {len(row) for row in rows} == {5 + NEW}
        assert (summary.rows, summary.columns[0].statuses["valid"]) == (60, 60)

        if quoting == csv.QUOTE_ALL:
            assert data.removeprefix(bom).decode(encoding).splitlines()[0].endswith('"rf_phone_callable"')


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_is_kept(screen: Screen, encoding: str) -> None:
    bom = BOMS.get(encoding, codecs.BOM_UTF8)
    data, _ = screen(bom + "phone\n+442079460000\n".encode(encoding))

    assert data.startswith(bom)
    assert data.removeprefix(bom).decode(encoding).startswith("phone,rf_phone_status,")


def test_utf_16_without_a_mark_is_recognised(screen: Screen) -> None:
    data, _ = screen("name;phone\nZoë;+442079460000\n".encode("utf-16-le"))
    assert data.decode("utf-16-le").startswith("name;phone;rf_phone_status;")


cells = st.text(st.characters(codec="utf-8"), max_size=12)
numbers = (
    st.sampled_from(["", "+442079460123", "020 7946 0123", "=1+1", "-", "@x", '"', "a,b", "+1 202 555 0100\n"]) | cells
)
rows = st.lists(st.tuples(cells, numbers, cells).map(list), max_size=8)
quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(rows=rows, delimiter=st.sampled_from(",;\t|"), end=st.sampled_from(["\n", "\r\n", "\r"]), every=st.booleans())
def test_the_result_without_the_new_columns_is_the_input_cell_for_cell(
    screen: Screen, parse: Parse, rows: Any, delimiter: str, end: str, every: Any
) -> None:
    def written(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if every or set(cell) & set('"\r\n,;|\t') else cell

    source = "".join(delimiter.join(map(written, row)) + end for row in [["id", "phone", "note"], *rows])
    data, summary = screen(source.encode(), ScreenOptions(phones=("phone",), region="GB", delimiter=delimiter))
    result = parse(data.decode(), delimiter)

    assert [row[:3] for row in result] == [["id", "phone", "note"], *rows]
    assert all(len(row) == 3 + NEW for row in result)

    column = summary.columns[0]
    assert column.statuses.total() + column.empty == summary.rows == len(rows)

    again, _ = screen(data, ScreenOptions(phones=("phone",), region="GB", delimiter=delimiter))

    assert parse(again.decode(), delimiter) == result


plain_cells = st.text(st.characters(codec="utf-8", exclude_characters='"\\\r\n,'), max_size=6)


@quick
@given(rows=st.lists(st.lists(plain_cells, min_size=1, max_size=6), max_size=8))
def test_ragged_rows_keep_their_cells_and_the_new_columns_stay_under_their_names(
    screen: Screen, parse: Parse, rows: Any
) -> None:
    lines = ["id,phone,note", *[",".join(row) for row in rows]]
    text = "\n".join(lines)
    data, _ = screen(text.encode(), ScreenOptions(phones=("phone",), region="GB", delimiter=","))
    for before, after in itertools.zip_longest(parse(text), parse(data.decode())):
        if not before:
            assert after == []
            continue

        assert after[: len(before)][:3] == before[:3]
        assert after[len(before) : 3] == [""] * (3 - len(before))
        assert after[3 + NEW :] == before[3:]
        assert bool(after[3]) == bool(before[1:2] and before[1].strip())


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "cp1251", "cp932", "latin-1"])
def test_bytes_that_the_encoding_does_not_know_survive(screen: Screen, encoding: str) -> None:
    broken = b"id,phone,note\n1,+442079460000,a\x81\x8d\xff\xfeb\n2,+44207946\x000001,\x00\n"
    data, _ = screen(broken, ScreenOptions(encoding=encoding))
    for before, after in zip(broken.splitlines(), data.splitlines(), strict=True):
        assert after.startswith(before)


def test_a_bad_byte_in_utf_8_does_not_make_it_another_encoding(screen: Screen) -> None:
    text = "id,name,phone\n" + "".join(f"{n},Zoë Łukasz,+442079460{n:03}\n" for n in range(50))
    data, _ = screen(text.encode() + b"51,caf\xe9,+442079460999\n")

    assert "Zoë Łukasz" in data.decode(errors="replace")
    assert b"51,caf\xe9,+442079460999,valid," in data


def test_odd_quoting_is_written_back_character_by_character(screen: Screen) -> None:
    odd = 'id,phone,note\n1,+442079460000,"Bob" Smith\n2,"+442079460001",5" pipe\n3,"",  spaced \n4,+442079460002,""\n'
    data, _ = screen(odd.encode())
    for before, after in zip(odd.splitlines(), data.decode().splitlines(), strict=True):
        assert after.startswith(before + ",")


def test_the_sep_line_of_excel_is_obeyed_and_kept(screen: Screen) -> None:
    data, _ = screen(b"sep=;\r\nname;phone\r\nA,B;+442079460000\r\n")
    first, header, row = data.decode().split("\r\n")[:3]

    assert (first, header.split(";")[:3]) == ("sep=;", ["name", "phone", "rf_phone_status"])
    assert row.startswith("A,B;+442079460000;valid;")


@pytest.mark.parametrize(
    ("text", "phones"),
    [
        ('id, name, phone\n1, "Doe, J", +442079460000\n2, "Roe, R", +442079460001\n', 2),
        ("id,name,phone\n" + '1,"the \\"boss\\", J",+442079460000\n2,"b",+442079460001\n', 2),
        ("'id';'name';'phone'\n'1';'a;b';'+442079460000'\n'2';'c';'+442079460001'\n", 2),
        ("id;price;phone\n1;2,50;+442079460000\n2;3,50;+442079460001\n", 2),
        ("phone\n+442079460000\n+442079460001\n", 2),
    ],
    ids=["space after comma", "backslash escapes", "single quotes", "decimal commas", "one column"],
)
def test_unusual_dialects_are_recognised(screen: Screen, text: bytes, phones: Any) -> None:
    data, summary = screen(text.encode())

    assert summary.columns[0].statuses == {"valid": phones}

    for before, after in zip(text.splitlines(), data.decode().splitlines(), strict=True):
        assert after.startswith(before)


def test_large_and_binary_cells_are_verdicts(screen: Screen) -> None:
    rubbish = os.urandom(10_000).replace(b'"', b"").replace(b"\r", b"")
    data, summary = screen(b'id,phone\n1,"' + rubbish + b'"\n2,' + b"9" * 10_000 + b"\n3,+442079460000\n")

    assert rubbish in data
    assert summary.columns[0].statuses == {"invalid": 2, "valid": 1}
    assert b",sha256:" in data


def test_a_very_large_cell_does_not_spoil_the_detection(screen: Screen) -> None:
    text = f'id;phone;note\n1;+442079460000;"{"x;y, " * 40_000}"\n2;+442079460001;z\n'
    data, summary = screen(text.encode())

    assert summary.columns[0].statuses == {"valid": 2}
    assert data.decode().count("x;y, ") == 40_000


def test_the_last_line_may_lack_its_end(screen: Screen) -> None:
    data, _ = screen(b"id,phone\r\n1,+442079460000")
    assert data.endswith(b"+442079460000,2026-03-04T05:06:07Z,yes")


def test_the_result_has_the_access_rights_of_the_source(tmp_path: Path, screen: Screen) -> None:
    (tmp_path / "in.csv").touch(mode=0o640)
    screen(b"phone\n+442079460000\n")

    assert (tmp_path / "out.csv").stat().st_mode & 0o777 == (tmp_path / "in.csv").stat().st_mode & 0o777
