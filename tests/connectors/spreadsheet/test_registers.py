"""Files of do-not-call registers: told apart, and read whatever is wrong in them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ringfence.connectors.spreadsheet.registers import ListFile, ListFormat, open_list
from ringfence.core.errors import FileError, UsageError
from ringfence.core.model.blocks import Channel
from ringfence.core.suppression.list_rows import ListBatch


def write(path: Path, content: str, encoding: str = "ascii") -> Path:
    file = path / "list.txt"
    file.write_bytes(content.encode(encoding))
    return file


def read(file: ListFile) -> ListBatch:
    """Return all batches as one."""
    batches = list(file.rows.batches())
    changes = [change for batch in batches for change in batch.changes or ()]
    return ListBatch(
        [number for batch in batches for number in batch.numbers],
        sum(batch.rows for batch in batches),
        batches[-1].position,
        changes or None,
        sum(batch.unreadable for batch in batches),
        tuple(row for batch in batches for row in batch.examples),
    )


@pytest.mark.parametrize(
    ("content", "region", "format_", "numbers"),
    [
        ("415,5552671\r\n212,5553456\r\n", "US", ListFormat.US_DNC, [b"+14155552671", b"+12125553456"]),
        ("4165550123\n6045550134\n", "CA", ListFormat.CA_DNCL, [b"+14165550123", b"+16045550134"]),
        ("02079 460000\r\n02079460001 \r\n", "GB", ListFormat.UK_TPS, [b"+442079460000", b"+442079460001"]),
        ("+65 6123 4567\n61234568\n", "SG", ListFormat.NUMBERS, [b"+6561234567", b"+6561234568"]),
        ("0412 345 678\n\n+61 412 345 679", "AU", ListFormat.NUMBERS, [b"+61412345678", b"+61412345679"]),
        ("415-555-2671\n(212) 555-3456\n", "US", ListFormat.NUMBERS, [b"+14155552671", b"+12125553456"]),
        ("Name,Phone\nAda,415-555-2671\nBob,2125553456\n", "US", ListFormat.CSV, [b"+14155552671", b"+12125553456"]),
    ],
)
def test_the_content_shows_the_format(
    tmp_path: Path, content: str, region: str, format_: ListFormat, numbers: list[bytes]
) -> None:
    file = open_list(write(tmp_path, content), region)

    assert (file.format, file.detected) == (format_, True)
    assert read(file).numbers == numbers


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_the_encoding_does_not_matter(tmp_path: Path, encoding: str) -> None:
    file = open_list(write(tmp_path, "415,5552671\r\n212,5553456\r\n", encoding), "US")

    assert read(file).numbers == [b"+14155552671", b"+12125553456"]


def test_rows_that_hold_no_number_are_counted_and_named_masked(tmp_path: Path) -> None:
    content = "AREA,NUMBER\n415,5552671\n\n212,5553456\nAREA,NUMBER\n9,99\n'415','5552672'\n\n"

    batch = read(open_list(write(tmp_path, content), "US", format=ListFormat.US_DNC))

    assert set(batch.numbers) == {b"+14155552671", b"+12125553456", b"+14155552672"}
    assert (batch.rows, batch.unreadable) == (5, 2)
    assert [row.line for row in batch.examples] == [5, 6]
    assert batch.examples[0].text == "AREA,NUMBER"


@pytest.mark.parametrize(
    ("content", "region", "format_"),
    [
        ("name,phone\nAda,415-555-2671\n", "US", ListFormat.US_DNC),
        ("name,phone\nAda,415-555-2671\n", "CA", ListFormat.CA_DNCL),
        ("name,phone\nAda,+442079460000\n", "GB", ListFormat.UK_TPS),
        ("name,phone\nAda,+442079460000\n", "GB", ListFormat.NUMBERS),
        ("phone,id\n+442079460000,7\n", "GB", ListFormat.UK_TPS),
        ("207,9460000\n", "GB", ListFormat.UK_TPS),
        ("02079460000\r\n", "GB", ListFormat.US_DNC),
        ("415,5552671,2026-11-20,D\n", "US", ListFormat.US_DNC),
    ],
)
def test_a_line_of_another_format_holds_no_number(
    tmp_path: Path, content: str, region: str, format_: ListFormat
) -> None:
    batch = read(open_list(write(tmp_path, content), region, format=format_))

    assert (batch.numbers, batch.rows, batch.unreadable) == ([], 1, 1)


@pytest.mark.parametrize(
    ("content", "region", "format_", "number"),
    [
        ("415 5552671\n", "US", ListFormat.US_DNC, b"+14155552671"),
        ('"415","5552671"\n', "US", ListFormat.US_DNC, b"+14155552671"),
        ("(416) 555-0123\n", "CA", ListFormat.CA_DNCL, b"+14165550123"),
        ("Telephone\n020 7946 0000,\n", "GB", ListFormat.UK_TPS, b"+442079460000"),
        ('"+442079460000"\n', "GB", ListFormat.UK_TPS, b"+442079460000"),
        ("0204 460 000\n", "AU", ListFormat.NUMBERS, b"+61204460000"),
    ],
)
def test_a_number_alone_may_be_written_as_people_do(
    tmp_path: Path, content: str, region: str, format_: ListFormat, number: bytes
) -> None:
    batch = read(open_list(write(tmp_path, content), region, format=format_))

    assert (batch.numbers, batch.unreadable) == ([number], 0)


def test_a_change_file_says_what_became_of_each_number(tmp_path: Path) -> None:
    content = "415,5552671,2026-11-20,A\n212,5553456,2026-11-21,D\n"

    file = open_list(write(tmp_path, content), "US")

    days = [date(2026, 11, day).toordinal() for day in (20, 21)]
    assert file.format is ListFormat.US_DNC_CHANGE
    assert read(file).changes == [(days[0], True), (days[1], False)]


@pytest.mark.parametrize("line", ["415,5552671,2026-13-01,A", "415,5552671,2026-11-01,X", "415,5552671"])
def test_a_change_that_says_nothing_is_unreadable(tmp_path: Path, line: str) -> None:
    content = f"415,5552672,2026-11-20,A\n{line}\n"

    batch = read(open_list(write(tmp_path, content), "US", format=ListFormat.US_DNC_CHANGE))

    assert (batch.numbers, batch.unreadable) == ([b"+14155552672"], 1)


def test_a_washed_list_tells_who_is_on_the_register(tmp_path: Path) -> None:
    content = "Number,No Voice Call,No Text Message\n61234567,Yes,No\n91234567,No,Yes\n81234567,No,No\n"
    path = write(tmp_path, content)

    voice = read(open_list(path, "SG", channel=Channel.VOICE))
    either = read(open_list(path, "SG", channel=Channel.ALL))

    assert voice.changes == [(0, True), (0, False), (0, False)]
    assert either.changes == [(0, True), (0, True), (0, False)]


def test_a_result_that_nobody_knows_counts_as_listed(tmp_path: Path) -> None:
    content = "number,DNCR status\n0412345678,registered\n0412345679,not registered\n0412345670,?\n0412345671,\n"

    batch = read(open_list(write(tmp_path, content), "AU"))

    assert batch.changes == [(0, True), (0, False), (0, True), (0, True)]


def test_several_columns_of_numbers_have_to_be_named(tmp_path: Path) -> None:
    path = write(tmp_path, "Phone,Mobile\n415-555-2671,415-555-2672\n")

    with pytest.raises(UsageError, match="More than one column"):
        open_list(path, "US")

    assert read(open_list(path, "US", column="mobile")).numbers == [b"+14155552672"]


@pytest.mark.parametrize(
    ("content", "message"),
    [("<?xml version='1.0'?>\n<list/>\n", "is XML"), ("\x1f\x8b\x08rest", "compressed"), ("", "is empty")],
)
def test_what_is_no_list_is_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(FileError, match=message):
        open_list(write(tmp_path, content, "latin-1"), "US")
