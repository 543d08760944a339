"""A cursor passes no record without an outcome, whatever the order in which pages end and outcomes come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.runs.cursor_tracker import CursorTracker

OBJECTS = ("people", "leads")


@dataclass
class Moves:
    """The cursors that a tracker has moved, in their order."""

    made: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, passed: Mapping[str, str]) -> None:
        self.made += passed.items()


@dataclass(frozen=True)
class PageOfRecords:
    """A page: its object, how many of its records are due, and whether a cursor belongs to it."""

    object: str
    due: int
    has_cursor: bool


pages_of_a_run = st.lists(
    st.builds(PageOfRecords, st.sampled_from(OBJECTS), st.integers(0, 5), st.booleans()), max_size=12
)


@given(pages_of_a_run, st.data())
def test_a_cursor_moves_exactly_when_every_record_up_to_it_has_an_outcome(
    pages: list[PageOfRecords], data: st.DataObject
) -> None:
    moves = Moves()
    tracker = CursorTracker(moves)
    ends: dict[str, int] = {}  # cursor -> records queued up to its page's end
    queued = processed = 0

    for number, page in enumerate(pages):
        tracker.queue(page.due)
        queued += page.due
        cursor = f"{page.object} {number}" if page.has_cursor else None
        tracker.end_page(page.object, cursor)
        if cursor is not None:
            ends[cursor] = queued

        done = data.draw(st.integers(0, queued - processed))
        tracker.process(done)
        processed += done

        may_have_moved = {cursor for cursor, end in ends.items() if end <= processed}
        assert {cursor for _, cursor in moves.made} <= may_have_moved
        for name in OBJECTS:
            passed = [cursor for cursor in ends if cursor.startswith(name) and cursor in may_have_moved]
            moved = [cursor for moved_name, cursor in moves.made if moved_name == name]
            assert moved[-1:] == passed[-1:]


@given(pages_of_a_run)
def test_cursors_of_one_object_never_go_back(pages: list[PageOfRecords]) -> None:
    moves = Moves()
    tracker = CursorTracker(moves)

    for number, page in enumerate(pages):
        tracker.queue(page.due)
        tracker.end_page(page.object, str(number))
    tracker.process(sum(page.due for page in pages))

    for name in OBJECTS:
        numbers = [int(cursor) for moved_name, cursor in moves.made if moved_name == name]
        assert numbers == sorted(numbers)


def test_pages_that_were_abandoned_move_no_cursor() -> None:
    moves = Moves()
    tracker = CursorTracker(moves)
    tracker.queue(2)
    tracker.end_page("people", "first")

    tracker.process(1)
    tracker.abandon_pages()
    tracker.queue(3)
    tracker.process(3)

    assert moves.made == []
    assert tracker.queued == 4
