"""Encodings and files that are no tables."""

from __future__ import annotations

import codecs
import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringfence.connectors.spreadsheet.detection import detect
from ringfence.connectors.spreadsheet.dialect import MAX_RECORD
from ringfence.connectors.spreadsheet.encoding import HEAD_BYTES, Encoding, detect_encoding
from ringfence.connectors.spreadsheet.options import ScreenOptions
from ringfence.connectors.spreadsheet.screening import Summary
from ringfence.core.errors import FileError, UsageError

Screen = Callable[..., tuple[bytes, Summary]]


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "phone")
    return out.getvalue()


NO_TABLES = {
    "empty": (b"", "is empty"),
    "only a mark": (codecs.BOM_UTF8, "holds no table"),
    "only sep": (b"sep=;\r\n", "holds no table"),
    "zip": (zipped(), "a zip archive or an Excel workbook"),
    "gzip": (gzip.compress(b"phone\n"), "compressed with gzip"),
    "old Excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "an old or password-protected Office file"),
    "pdf": (b"%PDF-1.7\n", "a PDF"),
    "picture": (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01" + bytes(range(256)), "not a text file"),
    "database": (b"SQLite format 3\x00\x10\x00\x01\x01\x00\x40\x20\x20\x00\x00\x00\x02\x00\x00", "not a text file"),
    "nothing but NUL": (bytes(5000), "not a text file"),
}


@pytest.mark.parametrize("name", NO_TABLES)
def test_what_is_no_table_is_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    data, words = NO_TABLES[name]
    path = tmp_path / "in.csv"
    path.write_bytes(data)
    with pytest.raises(FileError, match=words) as caught:
        detect(path, ScreenOptions())

    assert str(path) in caught.value.message
    assert caught.value.remedy


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(FileError, match="is not a file"):
            detect(path, ScreenOptions())


def test_text_called_xlsx_is_read_as_text(tmp_path: Path) -> None:
    path = tmp_path / "in.xlsx"
    path.write_text("phone\n+442079460000\n")

    assert detect(path, ScreenOptions()).format["kind"] == "csv"


def test_the_named_encoding_wins(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes("имя;телефон\nЮлия;+442079460000\n".encode("koi8-r"))
    found = detect(path, ScreenOptions(encoding="koi8-r"))

    assert found.columns == ("имя", "телефон")
    assert [column.name for column in found.phones] == ["телефон"]


@pytest.mark.parametrize("name", ["klingon", "hex", "rot13"])
def test_a_name_that_is_no_text_encoding_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "in.csv"
    path.write_text("phone\n")
    with pytest.raises(FileError, match="not a text encoding"):
        detect(path, ScreenOptions(encoding=name))


@pytest.mark.parametrize(
    ("data", "named", "expected"),
    [
        (codecs.BOM_UTF16_BE + "phone\n".encode("utf-16-be"), "utf-16", Encoding("utf-16-be", codecs.BOM_UTF16_BE)),
        (codecs.BOM_UTF16_LE + "phone\n".encode("utf-16-le"), "utf-16-le", Encoding("utf-16-le", codecs.BOM_UTF16_LE)),
        ("phone\n".encode("utf-16-le"), "utf-16", Encoding("utf-16-le")),
        (codecs.BOM_UTF8 + b"phone\n", "utf8", Encoding("utf-8", codecs.BOM_UTF8)),
        (b"phone\n", "utf-8-sig", Encoding("utf-8")),
    ],
)
def test_a_named_encoding_and_a_mark_go_together(tmp_path: Path, data: bytes, named: str, expected: Any) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(data)

    assert detect_encoding(path, named) == expected


def test_letters_far_down_the_file_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    filler = "1,Smith,+442079460000\n" * (2 * HEAD_BYTES // 22)
    path.write_bytes(filler.encode() + "2,Иванов Пётр,+442079460000\n".encode("cp1251") * 500 + filler[:44].encode())

    assert detect_encoding(path).name == "cp1251"


def test_broken_utf_16_is_refused(screen: Screen) -> None:
    with pytest.raises(FileError, match="not valid utf-16-le"):
        screen(codecs.BOM_UTF16_LE + "phone\n+442079460000\n".encode("utf-16-le") + b"\x41")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('id,phone,note\n1,+442079460000,x\n2,"+442079460001,x\n3,"Ann",x\n', 3),
        ('id,phone,note\n1,+442079460000,x\n2,+442079460001,"x\n', 3),
        ('id,phone,note\n1,+442079460000,"' + "x" * MAX_RECORD + "\n", 2),
        ('id,phone,note\n1,"' + "+442079460000,x\n" * (MAX_RECORD // 16 + 2), 2),
    ],
    ids=["stray", "open at the end", "endless line", "endless cell"],
)
def test_a_quotation_mark_that_would_swallow_rows_is_named_by_its_line(
    screen: Screen, tmp_path: Path, text: bytes, line: int
) -> None:
    with pytest.raises(FileError, match=f"line {line}: a quotation mark"):
        screen(text.encode(), ScreenOptions(phones=("phone",)))

    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("delimiter", ["", ";;", '"', "\n"])
def test_a_delimiter_that_cannot_be_one_is_refused(screen: Screen, delimiter: str) -> None:
    with pytest.raises(UsageError, match="cannot separate columns"):
        screen(b"phone\n", ScreenOptions(delimiter=delimiter))
