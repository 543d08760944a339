"""Consent as a record of a CRM tells it: given or withdrawn, for which purposes, since when, and by which field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from .values import Value

_SEPARATOR = ";"
_YES = frozenset({"yes", "true", "on"})
_NO = frozenset({"no", "false", "off"})
_MILLISECONDS = 13


class ConsentState(StrEnum):
    """What a record says of consent."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"
    UNKNOWN = "unknown"  # the field is empty, or holds a value that the mapping does not name: never "allowed"

    __hash__ = str.__hash__


class Consent(NamedTuple):
    """One record's consent. ``purposes`` is empty where it was given for all; ``source`` is the field that tells it.

    ``at`` is the aware UTC moment of giving or withdrawing, None where none is on record or it cannot be read.
    """

    state: ConsentState
    purposes: tuple[str, ...]
    at: datetime | None
    source: str


@dataclass(frozen=True, slots=True)
class ConsentFields:
    """The fields of an object that hold consent, and what their values mean (docs/contract.md, section 2).

    They are read along and never written. A true or false among the values also stands for the texts that YAML takes
    for it: ``[Yes]`` in a mapping is ``true``, and the picklist says ``Yes``.
    """

    field: str
    given: tuple[Value, ...]
    withdrawn: tuple[Value, ...]
    at: str | None = None
    purposes: tuple[str, ...] = ()

    def names(self) -> tuple[str, ...]:
        """Return the fields that are read for it."""
        return (self.field, self.at) if self.at else (self.field,)

    def withdrawn_values(self) -> tuple[Value, ...]:
        """Return every value that means a withdrawal, the texts that a true or false stands for included."""
        texts = [word for each in self.withdrawn if isinstance(each, bool) for word in sorted(_YES if each else _NO)]
        return tuple(dict.fromkeys((*self.withdrawn, *texts)))

    def read(self, values: Mapping[str, Value]) -> Consent:
        """Return the consent of a record by what its fields hold; ``values`` are by field name."""
        state = ConsentState.UNKNOWN
        if self.is_withdrawn(values):
            state = ConsentState.WITHDRAWN
        elif _is_among(values.get(self.field), self.given):
            state = ConsentState.GIVEN
        return Consent(state, self.purposes, read_time(values.get(self.at)) if self.at else None, self.field)

    def is_withdrawn(self, values: Mapping[str, Value]) -> bool:
        """Return whether consent was withdrawn; of several values in one field, a withdrawal counts first."""
        return _is_among(values.get(self.field), self.withdrawn)


def read_time(value: Value) -> datetime | None:
    """Return the aware UTC moment that a field holds: a moment, a day (its beginning), or milliseconds since 1970.

    None where it is empty or cannot be read.
    """
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        return None

    text = value.strip()
    try:
        if text.isascii() and text.isdigit() and len(text) == _MILLISECONDS:
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _is_among(held: Value, meant: Sequence[Value]) -> bool:
    parts = held.split(_SEPARATOR) if isinstance(held, str) else (held,)
    return any(_means(part, each) for part in parts for each in meant)


def _means(held: Value, meant: Value) -> bool:
    if isinstance(held, str):
        told = held.strip().casefold()
        if isinstance(meant, bool):
            return told in (_YES if meant else _NO)
        return isinstance(meant, str) and told == meant.strip().casefold()
    return type(held) is type(meant) and held == meant
