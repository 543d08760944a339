"""What calls and messages show of a line: signs, from which the finding about a number is put together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from .axes import Evidence, LineState
from .signals import Outcome


class Sign(StrEnum):
    """What an outcome shows of the line, from the best to the worst."""

    ALIVE = "alive"  # somebody was reached on it
    EXISTS = "exists"  # there is a line: busy, an answering machine, a receipt that proves little
    NEUTRAL = "neutral"  # it shows nothing of the line
    FAILED = "failed"  # it was not reached
    DEAD = "dead"  # somebody says that it is out of service

    __hash__ = str.__hash__


class SourceKind(StrEnum):
    """Who says so: two of different kinds do not make the same mistake."""

    CALL = "call"  # a call, as an agent or a dialler ended it
    MESSAGE = "message"  # a carrier's receipt for a message
    PERSON = "person"  # somebody's decision about the number, made to settle it

    __hash__ = str.__hash__


class NumberSign(NamedTuple):
    """One sign about a number: ``occurred_at`` is aware, in UTC; ``source`` is a vendor, a dialler or a CRM.

    ``code`` is the source's own word for the outcome, such as ``30005``; empty where it has none.
    """

    occurred_at: datetime
    kind: SourceKind
    source: str
    outcome: Outcome
    code: str = ""


class LineFinding(NamedTuple):
    """What signs say of the state of a line; ``said`` is a short sentence for a person, ``source`` who says it."""

    line: LineState
    evidence: Evidence
    observed_at: datetime
    source: str
    said: str


class Suspicion(NamedTuple):
    """Why a number is probably dead: since the moment of the last sign that speaks for it."""

    since: datetime
    said: str


class History(NamedTuple):
    """What the signs about one number amount to: states of the line, of which the weightiest counts, and a suspicion.

    ``last_life`` is when the line last showed that it exists; None: never.
    """

    lines: Sequence[LineFinding] = ()
    suspicion: Suspicion | None = None
    last_life: datetime | None = None
