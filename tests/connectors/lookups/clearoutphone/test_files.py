"""ClearoutPhone's files of numbers and of answers: nothing is read out of a file that is not all there."""

from __future__ import annotations

import logging
import time

import pytest

from ringfence.connectors.lookups.clearoutphone_file import ResultError, read_result, write_numbers
from ringfence.core.numbers import LineType, Validity

NUMBERS = ["+14155550101", "+14155550102", "+447911123456"]
HEAD = "Phone Number,ClearoutPhone Validation Status,ClearoutPhone Line Type,ClearoutPhone Carrier\r\n"
ROWS = '+14155550101,Valid,Mobile,"Mobile, Inc."\r\n14155550102,unknown,,\r\n+447911123456,Invalid,VoIP,Other\r\n'
FULL = (HEAD + ROWS).encode()


def test_a_file_of_numbers_is_one_column() -> None:
    assert write_numbers(NUMBERS) == b"Phone Number\r\n+14155550101\r\n+14155550102\r\n+447911123456\r\n"


def test_each_row_is_read_by_its_number() -> None:
    found = read_result(NUMBERS, FULL)

    assert [found[number].validity for number in NUMBERS] == [Validity.VALID, Validity.UNKNOWN, Validity.INVALID]
    assert [found[number].line_type for number in NUMBERS] == [LineType.MOBILE, LineType.UNKNOWN, LineType.VOIP]
    assert found[NUMBERS[0]].carrier is not None
    assert found[NUMBERS[0]].carrier.name == "Mobile, Inc."
    assert found[NUMBERS[1]].carrier is None


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + FULL,
        FULL.replace(b"\r\n", b"\n"),
        FULL.rstrip(),
        FULL + b"\r\n\r\n",
        FULL.replace(b"Phone Number", b"Name,phone number ")
        .replace(b"+1415", b"x,+1415")
        .replace(b"\n1415", b"\nx,1415")
        .replace(b"+4479", b"x,+4479"),
    ],
    ids=["with a mark", "other line ends", "without the last line end", "empty lines", "a further column"],
)
def test_other_ways_to_write_the_same_file_are_read_alike(content: bytes) -> None:
    assert read_result(NUMBERS, content) == read_result(NUMBERS, FULL)


def test_wherever_a_file_was_cut_no_word_of_it_is_wrong_and_none_is_taken_for_missing() -> None:
    full = read_result(NUMBERS, FULL)
    boundaries = {len(FULL[: at + 1]) for at, sign in enumerate(FULL) if sign in b"\r\n"}
    refused = 0

    for length in range(len(FULL)):
        try:
            found = read_result(NUMBERS, FULL[:length])
        except ResultError:
            refused += 1
            continue
        assert all(found[number].validity is full[number].validity for number in found)
        assert found.keys() == full.keys() or length in boundaries
    assert refused > 150


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"Phone Number\r\n+14155550101\r\n",
        b"a,b\r\n1,2\r\n",
        b"<Error>no</Error>",
        b"\xff\xfe\x00",
        b'"' * 200_000,
    ],
)
def test_a_file_without_the_columns_is_none_of_answers(content: bytes) -> None:
    with pytest.raises(ResultError, match="file of answers"):
        read_result(NUMBERS, content)


def test_strangers_are_counted_and_a_row_without_a_word_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    content = HEAD + "+14155550101,valid,,\r\n+14155550102, ,,\r\n+4915123456789,valid,,\r\nx,valid,,\r\n+44\r\n"

    with caplog.at_level(logging.WARNING):
        found = read_result(NUMBERS, content.encode())

    assert list(found) == NUMBERS[:1]
    assert "about 3 numbers that it was not asked about" in caplog.text
    assert "4915123456789" not in caplog.text


def test_a_word_that_nobody_knows_is_kept_and_a_number_in_its_place_is_masked() -> None:
    content = HEAD + "+14155550101,hibernating,,\r\n+14155550102,+14155550102,,\r\n"

    found = read_result(NUMBERS[:2], content.encode())

    assert found[NUMBERS[0]].unrecognised == (("validity", "hibernating"),)
    assert {reading.validity for reading in found.values()} == {Validity.UNKNOWN}
    assert "4155550102" not in str(found[NUMBERS[1]])


@pytest.mark.slow
def test_numbers_in_the_formats_of_their_countries_are_found_in_a_time_that_grows_with_the_file() -> None:
    many = [f"+1415{n:07}" for n in range(2_000_000, 2_010_000)]
    rows = [f"({number[2:5]}) {number[5:8]}-{number[8:]},valid,,\r\n" for number in many]

    began = time.perf_counter()
    found = read_result(many, (HEAD + "".join(rows)).encode())

    assert list(found) == many
    assert time.perf_counter() - began < 5  # a second; each compared with each, from ten seconds to a minute
