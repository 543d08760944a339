"""CSV files of jobs: what is written is read, however its bytes are cut into pieces."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.connectors.salesforce.bulk.csv_sheet import SheetBuilder, read_result_file, read_rows
from ringfence.core.errors import RetryError

cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), min_size=1, max_size=8)
spoilt = st.sampled_from(["", "a", '"', "\n", '","', '"\n"', "ü"])


@given(st.lists(st.tuples(cells, cells), max_size=6), st.integers(1, 9))
def test_what_was_written_is_read_from_pieces_of_any_size(rows: list[tuple[str, str]], size: int) -> None:
    made = SheetBuilder()
    made.add([("Id", "Reason")])
    made.add(rows)
    sheet = made.finish()

    whole = b"".join(sheet)

    assert len(whole) == len(sheet)

    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
    expected = [["Id", "Reason"], *map(list, rows)]

    assert list(sheet.rows()) == expected
    assert list(read_rows(pieces)) == expected
    assert list(read_result_file(pieces).rows()) == expected[1:]


@given(st.lists(st.lists(spoilt, min_size=1, max_size=3), max_size=4), st.integers(0, 3))
def test_a_look_over_a_file_says_what_reading_all_of_it_says(rows: list[list[str]], cut: int) -> None:
    text = StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([["Id", "Phone"], *rows])
    content = text.getvalue().encode()
    content = content[: len(content) - cut]

    try:
        header, *read = read_rows([content])
    except RetryError:
        with pytest.raises(RetryError):
            read_result_file([content])
        return

    found = read_result_file([content])

    assert (found.header, found.count) == (tuple(header), len(read))
    assert found.is_rectangular == ({len(row) for row in read} <= {len(header)})
    assert list(found.rows()) == read


@pytest.mark.parametrize("content", [b'"Id"\n"00', b'"Id"\n\xff\n', b'"Id"\n"a"b\n', b'"Id"\n"\xff"\n'])
def test_what_is_no_csv_is_asked_for_again(content: bytes) -> None:
    with pytest.raises(RetryError, match="not the CSV"):
        list(read_rows([content]))

    with pytest.raises(RetryError, match="not the CSV"):
        read_result_file([content])
