"""How the calls to one account stand: pure arithmetic over moments, for whoever keeps it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .call_limits import Check, Rate, UnderWay, refuse_long_pause

KEPT_FOR_S = 200.0
"""How long a call may be under way, in seconds: longer than any time-out. One that began before that is over."""

LONGEST_KEPT_S = 3600.0
"""How long a pause is kept, in seconds: then one call asks again, for whoever asked for it may have been wrong."""

_CLOSER = 0.8

_FAR_S = 600.0
"""A place that lies farther ahead was given under a clock that has been set back since."""


SHARED_FOR_S = 60.0
"""How long after the last change of callers, in seconds, a window counts as shared by several."""


@dataclass(slots=True)
class Window:
    """The places that calls of one kind were given, in their order, and who got the last one.

    One caller that has used up its window goes on as soon as there is room. What several callers send arrives sooner or
    later, each by its own delays, and a burst of them would overlap with the one before it: once a window that is
    shared was full, its places lie apart (``spaced``), a little closer than the rate so that lost time is made up.
    """

    places: list[float] = field(default_factory=list)
    spaced: bool = False
    caller: str = ""
    shared_until: float = 0.0

    def reserve(self, rate: Rate, caller: str, now: float, not_before: float) -> float:
        """Return the place of one more call, and keep it."""
        self.places = [each for each in self.places if now - rate.seconds < each < now + _FAR_S]
        if self.places and caller != self.caller:
            self.shared_until = now + SHARED_FOR_S
        self.caller = caller
        last = self.places[-1] if self.places else now - rate.seconds
        place = max(now, not_before, last)

        if len(self.places) >= rate.calls:
            free = self.places[-rate.calls] + rate.seconds
            self.spaced = now < self.shared_until and (self.spaced or free > place)
            place = max(place, free)
        elif now > last + rate.seconds / 4:
            self.spaced = False
        if self.spaced:
            place = max(place, last + rate.seconds / rate.calls * _CLOSER)

        self.places.append(place)
        return place


@dataclass(slots=True)
class Pause:
    """A pause that the other side asked for, until a moment; ``asked_s`` is how long it was at first."""

    until: float
    asked_s: float

    def left(self, now: float) -> float:
        """Return the seconds that are left; never more than were asked for, also where the clock was set back."""
        return max(0.0, min(self.until - now, self.asked_s))


@dataclass(slots=True)
class Call:
    """A call under way: whose it is, in words that the keeper understands, and since when."""

    holder: str
    since: float


@dataclass(slots=True)
class CallStanding:
    """Windows and pauses by kind of call (empty: every call), calls under way by ticket, and the last note."""

    windows: dict[str, Window] = field(default_factory=dict)
    pauses: dict[str, Pause] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    note: str = ""
    noted_at: float = 0.0

    def reserve(self, kind: str, rate: Rate, caller: str, now: float) -> float:
        """Return how many seconds from now the next call of the kind has its place."""
        pause = self.paused(kind, now)
        refuse_long_pause(pause)
        return self.windows.setdefault(kind, Window()).reserve(rate, caller, now, now + pause) - now

    def pause(self, kind: str, seconds: float, now: float) -> None:
        """Keep a pause; the one that ends last counts."""
        kept = min(seconds, LONGEST_KEPT_S)
        if kept > self.paused(kind, now):
            self.pauses[kind] = Pause(now + kept, kept)

    def paused(self, kind: str, now: float) -> float:
        """Return for how many seconds no call of the kind may go out."""
        return max((self.pauses[each].left(now) for each in {"", kind} if each in self.pauses), default=0.0)

    def take(
        self, ticket: str, holder: str, at_once: int, check: Check, now: float, is_dead: Callable[[str], bool]
    ) -> bool:
        """Put a call under way unless ``at_once`` others are, those aside whose holder is dead; return whether it is.

        Raises what ``check`` raises.
        """
        self.calls = {
            id_: call
            for id_, call in self.calls.items()
            if abs(now - call.since) < KEPT_FOR_S and not (call.holder != holder and is_dead(call.holder))
        }
        if len(self.calls) >= at_once:
            return False
        check(UnderWay(len(self.calls), self.note, max(0.0, now - self.noted_at)))
        self.calls[ticket] = Call(holder, now)
        return True

    def give_back(self, ticket: str, note: str | None, now: float) -> None:
        """Take a call that is over off, and keep its note."""
        self.calls.pop(ticket, None)
        if note is not None:
            self.note, self.noted_at = note, now
