"""Records by the names of their columns, out of files of all kinds, and what is no such file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ringfence.connectors.spreadsheet import json_records
from ringfence.connectors.spreadsheet.record_file import RecordShape, open_records
from ringfence.core.errors import FileError

SHAPE = RecordShape((("number", "to"), ("at",)), ("messages", "data"), "to")
ROWS = [{"number": f"+141555526{each:02d}", "at": "2026-11-01T10:00:00Z"} for each in range(3)]
MANY = [{"number": f"+1415555{each:04d}", "at": "x" * 200} for each in range(5000)]


def read(path: Path, shape: RecordShape = SHAPE) -> list[Any]:
    return list(open_records(path, shape).records())


def save(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


CSV = "number,at\n" + "".join(f"{row['number']},{row['at']}\n" for row in ROWS)


@pytest.mark.parametrize(
    "content",
    [
        CSV.encode(),
        CSV.replace(",", ";").encode("utf-8-sig"),
        CSV.replace(",", "\t").encode("utf-16"),
        CSV.replace("\n", "\r\n").encode("utf-16-le"),
        ("Export of 2026-11-02\n\n" + CSV + "\n , \n").encode(),
        CSV.replace("number", " Num-ber ").replace("at", "AT").encode(),
        b"sep=,\r\n" + CSV.encode(),
        json.dumps(ROWS).encode(),
        json.dumps(ROWS, indent=2).encode("utf-16"),
        json.dumps({"meta": {"page": 1}, "messages": ROWS}).encode("utf-8-sig"),
        json.dumps({"a list": [1, 2], "of calls": ROWS}).encode(),
        "\n".join(map(json.dumps, ROWS)).encode(),
        ",\r\n".join(map(json.dumps, ROWS)).encode(),
        "\n".join(json.dumps({"messages": [row]}) for row in ROWS).encode(),
        "\n".join(json.dumps({"data": row}) for row in ROWS).encode(),
    ],
)
def test_the_same_records_in_every_kind_of_file(tmp_path: Path, content: bytes) -> None:
    assert read(save(tmp_path / "calls.txt", content)) == ROWS


def test_the_records_of_a_workbook(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="reads .xlsx; an extra")
    book = openpyxl.Workbook()
    for row in (["Calls of November"], [], ["Number", "At"], *([row["number"], row["at"]] for row in ROWS)):
        book.active.append(row)
    book.save(tmp_path / "calls.xlsx")

    assert read(tmp_path / "calls.xlsx") == ROWS


def test_objects_in_records_and_a_row_for_each_recipient(tmp_path: Path) -> None:
    message = {
        "from": {"Phone Number": "+1"},
        "at": None,
        "size": 3,
        "to": [{"number": "a", "ok": True}, {"number": "b", "ok": False}],
        "errors": [{"code": 1}, {"code": 2}],
    }
    shared = {"from.phonenumber": "+1", "size": "3", "errors.code": "1 2"}
    assert read(save(tmp_path / "m.json", json.dumps([message, "no record", {"to": []}]))) == [
        {**shared, "to.number": "a", "to.ok": "True", "place": "0"},
        {**shared, "to.number": "b", "to.ok": "False", "place": "1"},
        None,
        {},
    ]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(MANY),
        json.dumps({"next": None, "list of others": [], "messages": MANY}),
        "\n".join(map(json.dumps, MANY)),
    ],
)
def test_long_files_are_read_piece_by_piece(tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_records, "MAX_RECORD", 10_000)
    monkeypatch.setattr(json_records, "_CHUNK", 777)

    assert read(save(tmp_path / "m.json", content)) == MANY


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        (" \n ", "holds nothing"),
        ("<!DOCTYPE html><html><body>Log in</body></html>", "web page"),
        ('<?xml version="1.0"?><calls/>', "web page"),
        ("name,day\nKim,1\n", "has no column 'number' or 'to'"),
        ("+14155552671,2026-11-01\n+14155552672,2026-11-01\n", "has no column 'number' or 'to'"),
        ('[{"number": "1"}, {"num', "no JSON after 1 records"),
        ('[{"number": "1"} oops', "no JSON after 1 records"),
        ('{"number": "1"}\nnonsense', "no JSON after 1 records"),
        ("[" * 100_000, "no JSON at its beginning"),
        (b"%PDF-1.7 number at", "PDF"),
        (b"\x00\x01\x02number,at\x00\x00\x07", "not a text file"),
        ('number,at\n"+1,2026\n' + "x" * 5_000_000, "line 2: a quotation mark"),
        ("number,at\n+1," + "x" * 5_000_000 + "\n", "line 2 has more than 4,194,304 characters"),
    ],
)
def test_what_is_no_such_file_is_refused_with_a_remedy(tmp_path: Path, content: str | bytes, said: str) -> None:
    path = save(tmp_path / "calls.csv", content)

    with pytest.raises(FileError, match=said) as caught:
        read(path)
    assert caught.value.remedy
    assert "4155552671" not in str(caught.value)


@pytest.mark.parametrize("content", ['["{}"]', '{{"messages": ["{}"]}}', '{{"number": "{}"}}'])
def test_a_value_without_end_is_no_record(tmp_path: Path, content: str) -> None:
    path = save(tmp_path / "calls.json", content.format("x" * 9_000_000))

    with pytest.raises(FileError, match=r"more than 4,194,304 characters after 0 records"):
        read(path)


def test_about_how_many_records_there_are(tmp_path: Path) -> None:
    for name, content in (("a.csv", "number,at\n" + "+14155552671,2026\n" * 5000), ("a.json", json.dumps(MANY))):
        file = open_records(save(tmp_path / name, content), SHAPE)
        records = file.records()
        for _ in range(1500):
            next(records)
        assert 3000 < file.estimate(1500) < 7500
