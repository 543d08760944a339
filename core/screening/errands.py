"""Questions to several providers at the same time, each at its own pace, with the answers coming back to one place.

One errand takes some numbers to one provider. While a single errand is all there is to do it is carried out by whoever
asks; several go on side by side in threads, so that a slow provider holds up nobody who waits for another one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from queue import SimpleQueue

from ..model.answers import Answer
from ..model.caps import CapReached
from ..ports.lookup import Lookup


@dataclass(frozen=True, slots=True)
class Arrived:
    """An answer of a provider, kept already."""

    lookup: Lookup
    answer: Answer


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of an errand about these numbers: ``error`` ended it early, ``cap`` left numbers unasked."""

    lookup: Lookup
    numbers: Sequence[str]
    error: BaseException | None
    cap: CapReached | None


Event = Arrived | Ended

Stopped = Callable[[], bool]
"""Tells whether no further number may be asked about."""

Ask = Callable[[Lookup, Sequence[str], Callable[[CapReached], None], Stopped], Generator[Answer, None, None]]
"""Yields the answers of a provider about numbers, each kept durably, and tells a cap that leaves some unasked."""


class Errands:
    """The errands under way. ``events`` tells what happens; errands may be started between two of them."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._running: set[str] = set()  # realms
        self._inline: tuple[Lookup, Sequence[str]] | None = None
        self._stopping = threading.Event()

    def is_running(self, lookup: Lookup) -> bool:
        """Return whether an errand to the provider is under way."""
        return lookup.realm in self._running

    @property
    def idle(self) -> bool:
        """Return whether no errand is under way."""
        return not self._running

    def start(self, lookup: Lookup, numbers: Sequence[str], *, alone: bool) -> None:
        """Take numbers to a provider that no errand is under way to; ``alone`` tells that no other one will be."""
        self._running.add(lookup.realm)
        if alone:
            self._inline = (lookup, numbers)
            return

        def carry_out() -> None:
            for event in self._carry_out(lookup, numbers):
                self._events.put(event)

        # A daemon, so that the end of the process hangs on no request.
        threading.Thread(target=carry_out, name=f"{lookup.name}-errand", daemon=True).start()

    def events(self) -> Iterator[Event]:
        """Yield what happens until no errand is under way.

        Left early, by an error too, it asks no more and waits for the answers that are on their way: they are paid.
        """
        try:
            while self._running:
                if self._inline is not None:
                    inline, self._inline = self._inline, None
                    with closing(self._carry_out(*inline)) as told:
                        for event in told:
                            self._note(event)
                            yield event
                    continue
                event = self._events.get()
                self._note(event)
                yield event
        finally:
            self._stopping.set()
            while self._running and self._inline is None:
                self._note(self._events.get())

    def _note(self, event: Event) -> None:
        if isinstance(event, Ended):
            self._running.discard(event.lookup.realm)

    def _carry_out(self, lookup: Lookup, numbers: Sequence[str]) -> Generator[Event, None, None]:
        caps: list[CapReached] = []
        error: BaseException | None = None
        try:
            with closing(self._ask(lookup, numbers, caps.append, self._stopping.is_set)) as answers:
                for answer in answers:
                    yield Arrived(lookup, answer)
        except GeneratorExit:
            self._running.discard(lookup.realm)
            raise
        except BaseException as fault:  # noqa: BLE001 - told to whoever waits, who raises what is no outage
            error = fault
        yield Ended(lookup, numbers, error, caps[0] if caps else None)
