"""SIGTERM: one lets the batch end, another breaks it off, and the echo of the first one counts for nothing."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from ringfence.apps.cli import termination as module
from ringfence.apps.cli.termination import ECHO_S, Termination
from ringfence.core.errors import Terminated
from testkit.clock import SetClock


@pytest.fixture
def listening(clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Termination]:
    """Give what answers SIGTERM in this process, by the clock of the test."""
    monkeypatch.setattr(module, "monotonic", clock.monotonic)
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGALRM)
    termination = Termination()
    termination.listen()
    yield termination
    signal.signal(signal.SIGTERM, before[0])
    signal.signal(signal.SIGALRM, before[1])


def test_the_same_signal_twice_at_once_breaks_nothing_off(listening: Termination) -> None:
    with listening.after_the_batch():
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)

    assert listening.asked


def test_a_second_one_later_breaks_the_batch_off(listening: Termination, clock: SetClock) -> None:
    def be_asked_twice() -> None:
        with listening.after_the_batch():
            signal.raise_signal(signal.SIGTERM)
            clock.advance(seconds=ECHO_S)
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Terminated):
        be_asked_twice()
