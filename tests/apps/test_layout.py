"""Tables and texts in a given width: never a word that is broken."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from ringfence.apps.cli.layout import lay_out_table, wrap

COLUMNS = ["record", "field", "content", "status", "why"]
ROWS = [
    ["Contact 0035i0000000001AAA", "Phone", "***00", "empty → active", "live (dropped a spreadsheet .0)"],
    ["", "MobilePhone", "***33", "valid → do_not_contact", "opted_out"],
]
WORDS = st.lists(st.text("abc漢", min_size=1, max_size=30), max_size=8).map(" ".join)


def lines(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    head, body = lay_out_table(columns, rows, width=width)
    return [*head, *body]


@pytest.mark.parametrize("width", [120, 80, 60, 40, 20])
def test_no_word_is_broken_and_no_line_is_wider_than_it_must_be(width: int) -> None:
    shown = lines(COLUMNS, ROWS, width)

    words = {word for row in ROWS for cell in row for word in cell.split()}
    assert words <= set(" ".join(shown).split())
    assert max(map(cell_len, shown)) <= max(width, max(map(cell_len, words)) + 4)


def test_a_row_is_one_line_where_nothing_limits_it() -> None:
    assert len(lines(COLUMNS, ROWS, None)) == 1 + len(ROWS)


def test_cells_go_on_below_between_words_where_the_columns_still_fit() -> None:
    head, body = lay_out_table(COLUMNS, ROWS, width=80)

    assert len(head) == 1
    assert body[0].startswith("Contact 0035i0000000001AAA  Phone")
    assert len(body) > len(ROWS)


def test_a_row_becomes_a_block_where_the_columns_do_not_fit() -> None:
    head, body = lay_out_table(COLUMNS, ROWS, width=40)

    assert head == []
    assert body[0] == "record   Contact 0035i0000000001AAA"
    assert "  status   valid → do_not_contact" in body
    assert body.count("  field    MobilePhone") == 1  # the second row belongs to the same record


def test_a_long_text_is_no_narrow_column() -> None:
    _, body = lay_out_table(["code", "words"], [["DUPLICATE_VALUE", "a duplicate value was found " * 12]], width=40)

    assert len(body) < 16


def test_figures_are_aligned_right() -> None:
    _, body = lay_out_table(["", "Contact"], [["records read", "1,228"], ["slots", "7"]], width=80, right=[1])

    assert body == ["records read    1,228", "slots               7"]


@given(WORDS, st.integers(min_value=1, max_value=40))
def test_a_wrapped_text_keeps_its_words_and_its_width(text: str, width: int) -> None:
    wrapped = wrap(text, width)

    assert " ".join(wrapped).split() == text.split()
    assert all(cell_len(line) <= width or " " not in line for line in wrapped)


def test_further_lines_of_an_indented_text_are_indented_as_well() -> None:
    assert wrap("  creates a field that is missing", 16) == ["  creates a", "  field that is", "  missing"]
