"""Work done turn by turn goes on whatever ends a turn, and what ended it is told once."""

from __future__ import annotations

import threading

import pytest

from ringfence.apps.steady import keep_on
from ringfence.core.errors import StateError, StoppedError


def test_every_kind_of_error_ends_its_turn_alone(caplog: pytest.LogCaptureFixture) -> None:
    must_end = threading.Event()
    turns = iter(
        [
            StoppedError("The store is away.", ""),
            StoppedError("The store is away.", ""),
            StateError("It is damaged.", ""),
        ]
    )

    def turn() -> None:
        if (error := next(turns, None)) is not None:
            raise error
        if not caplog.text.count("by a fault"):
            raise ZeroDivisionError
        must_end.set()

    keep_on(turn, must_end, 0, "Nothing is done")

    assert [each.levelname for each in caplog.records] == ["WARNING", "ERROR", "ERROR"]
    assert caplog.text.count("Nothing is done: The store is away.") == 1
    assert "Nothing is done: It is damaged." in caplog.text
    assert "Nothing is done, by a fault of ringfence itself." in caplog.text


def test_the_same_error_is_told_again_after_a_turn_that_worked(caplog: pytest.LogCaptureFixture) -> None:
    must_end, fails = threading.Event(), iter([True, False, True])

    def turn() -> None:
        fail = next(fails, None)
        if fail:
            raise StoppedError("The store is away.", "")
        if fail is None:
            must_end.set()

    keep_on(turn, must_end, 0, "Nothing is done")

    assert caplog.text.count("The store is away.") == 2
