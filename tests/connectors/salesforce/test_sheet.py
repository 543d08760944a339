"""CSV files of jobs: what is written is read, however its bytes are cut into pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.connectors.salesforce.sheet import SheetMaker, keep, read_rows
from ringfence.core.errors import RetryError

cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), min_size=1, max_size=8)


@given(st.lists(st.tuples(cells, cells), max_size=6), st.integers(1, 9))
def test_what_was_written_is_read_from_pieces_of_any_size(rows: list[tuple[str, str]], size: int) -> None:
    made = SheetMaker()
    made.add([("Id", "Reason")])
    made.add(rows)
    sheet = made.finish()
    whole = b"".join(sheet)
    assert len(whole) == len(sheet)
    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
    expected = [["Id", "Reason"], *map(list, rows)]
    assert list(sheet.rows()) == expected
    assert list(read_rows(pieces)) == expected
    kept = keep(pieces)
    assert list(kept.sheet.rows()) == expected
    assert (kept.header, kept.widths.total()) == (("Id", "Reason"), len(rows))


@pytest.mark.parametrize("content", [b'"Id"\n"00', b'"Id"\n\xff\n', b'"Id"\n"a"b\n'])
def test_what_is_no_csv_is_asked_for_again(content: bytes) -> None:
    with pytest.raises(RetryError, match="not the CSV"):
        list(read_rows([content]))
