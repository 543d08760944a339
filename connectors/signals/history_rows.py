"""The rows of a file of calls or messages, read by a profile: each is a signal, or cannot be one, and says why."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from ringfence.core.config.history_profile import HistoryProfile, find_zone, plain_word
from ringfence.core.model.blocks import Channel, RecordName
from ringfence.core.model.signals import OptOutWord, Outcome, Signal

from .codes import VendorCodes, codes_of
from .generic import read_record
from .history_moments import read_history_moment
from .received import add_plus

Row = Mapping[str, str]
"""The cells of a row by the names of their columns, as :func:`plain_word` writes them."""

AHEAD = timedelta(days=1)
"""So far a clock may be ahead of ours, its zone included; what is told of a later moment is a mistake."""

_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_NO_CODE = frozenset(("", "0", "none", "null", "-", "n/a"))
_PART = re.compile(r"[0-9a-z]+")
_LONGEST_ID = 200
_DIGEST = 32  # hexadecimal digits
PLACE = "place"
"""The column of a row's place among several that one record told of."""


class Unknown(NamedTuple):
    """A row of an outcome, code or channel that the profile does not have, or that has not ended yet."""

    word: str
    is_unfinished: bool = False


class Unreadable(NamedTuple):
    """A row that cannot be read, and why: a short sentence for a person."""

    why: str


class _Meaning(NamedTuple):
    outcome: Outcome
    word: OptOutWord | None = None
    detail: str = ""
    code: str = ""


class HistoryRows:
    """Reads rows by a profile at the moment ``now`` (aware UTC).

    ``zone`` is that of moments that name none, ``region`` the ISO 3166 region of national numbers. Making it raises
    KeyError for a vendor of codes that nobody knows.
    """

    def __init__(
        self, profile: HistoryProfile, now: datetime, zone: tzinfo | None = None, region: str | None = None
    ) -> None:
        self._profile = profile
        self._region = region
        self._latest = now + AHEAD
        self._zone = zone or (find_zone(profile.timezone) if profile.timezone else None)
        self._codes = codes_of(profile.codes) if profile.codes else VendorCodes(statuses={}, codes={})
        self._status_words = {plain_word(word): word for word in self._codes.statuses}

    def read(self, row: Row) -> Signal | Unknown | Unreadable:
        """Return what a row tells. Raises UsageError for a moment without a zone, where none is given."""
        profile = self._profile
        way = _cell(row, profile.direction.columns)
        is_inbound = plain_word(way) in profile.direction.inbound
        if way and not is_inbound and plain_word(way) not in profile.direction.outbound:
            return Unknown(way)
        channel = self._channel(row)
        if isinstance(channel, Unknown):
            return channel

        is_text = is_inbound and bool(profile.inbound.text)
        status = _cell(row, profile.status)
        code = _cell(row, profile.code)
        if is_text:
            meaning: _Meaning | Unknown | Unreadable | None = None
        elif isinstance(meaning := self._meaning(status, code), Unknown | Unreadable):
            return meaning
        signal = self._base(row, channel, status, is_inbound=is_inbound)
        if isinstance(signal, Unreadable):
            return signal
        if not isinstance(meaning, _Meaning):
            return signal._replace(said=_cell(row, profile.inbound.text))
        outcome = profile.inbound.outcomes.get(meaning.outcome, meaning.outcome) if is_inbound else meaning.outcome
        shown = meaning.code or ("" if outcome is meaning.outcome else status)
        return signal._replace(outcome=outcome, word=meaning.word, code=shown, detail=meaning.detail)

    def _base(self, row: Row, channel: Channel, status: str, *, is_inbound: bool) -> Signal | Unreadable:
        profile = self._profile
        number = _cell(row, (is_inbound and profile.inbound.number) or profile.number)
        if not number:
            return Unreadable("there is no number")
        told = _cell(row, profile.at)
        moment = read_history_moment(told, profile.formats, self._zone) if told else None
        if moment is None:
            return Unreadable(f"{told!r} is no moment that the profile knows" if told else "there is no moment")
        if not _EARLIEST <= moment <= self._latest:
            return Unreadable(f"{told!r} is too far {'ahead' if moment > self._latest else 'back'}")

        record: RecordName | None = None
        if (named := _cell(row, profile.record)) and (record := read_record(named)) is None:
            return Unreadable("the record is not written as CRM:OBJECT:ID")
        form = profile.inbound.id_form if is_inbound else profile.id_form
        return Signal(
            profile.source,
            self._id(row, form, status),
            _read_number(number, plus_left_out=profile.plus_left_out),
            moment,
            channel=channel,
            region=self._region,
            record=record,
            sender=_cell(row, profile.number if is_inbound and profile.inbound.number else profile.ours),
        )

    def _channel(self, row: Row) -> Channel | Unknown:
        column = self._profile.channel
        word = _cell(row, column.columns)
        return column.values.get(plain_word(word), Unknown(word)) if word else column.default

    def _meaning(self, status: str, code: str) -> _Meaning | Unknown | Unreadable:
        """Return what became of a call or message, by its status and its code."""
        profile, word = self._profile, plain_word(status)
        if not status:
            return Unreadable("there is no outcome")
        if word in profile.unfinished:
            return Unknown(status, is_unfinished=True)
        outcome = profile.outcomes.get(word) or self._codes.statuses.get(self._status_words.get(word, ""))
        if outcome is None:
            return Unknown(status)
        stop = OptOutWord.STOP if word in profile.stop else None
        parts = [] if plain_word(code) in _NO_CODE else [plain_word(code), *_PART.findall(code.casefold())]
        if not parts:
            return _Meaning(outcome, stop, status)
        if outcome is Outcome.DELIVERED:
            return _Meaning(outcome, stop, status, code)

        for part in parts:  # one cell may hold several, or JSON around them
            if part in profile.outcomes:
                refused = OptOutWord.STOP if part in profile.stop else stop
                return _Meaning(profile.outcomes[part], refused, status, part)
            if (told := self._codes.codes.get(part)) is not None:
                known = outcome if told.outcome is Outcome.DELIVERED else told.outcome
                return _Meaning(known, told.word or stop, told.means, part)
        return Unknown(" ".join(parts[1:]) if code[0] in "[{" else code)

    def _id(self, row: Row, form: str, status: str) -> str:
        """Return the id of a row; one that has none is known by what it says."""
        given = _cell(row, self._profile.id)
        if not given:
            return _digest(self._content(row))
        place = row.get(PLACE, "0")
        name = form.replace("{status}", status.strip().lower()).replace("{place}", place).replace("{id}", given)
        return name if len(name) <= _LONGEST_ID else _digest([name])

    def _content(self, row: Row) -> Sequence[str]:
        profile = self._profile
        read = (profile.number, profile.inbound.number, profile.at, profile.status, profile.code, profile.inbound.text)
        return [_cell(row, names) for names in (*read, profile.channel.columns, profile.direction.columns)]


def _cell(row: Row, names: Sequence[str]) -> str:
    """Return the first of these columns that holds anything, without space around; empty where none does."""
    for name in names:
        if text := row.get(name, "").strip():
            return text
    return ""


def _digest(parts: Sequence[str]) -> str:
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return f"row:{hashlib.sha256(text).hexdigest()[:_DIGEST]}"


def _read_number(text: str, *, plus_left_out: bool) -> str:
    """Return a number without a spreadsheet's apostrophe or a messenger's scheme, as in ``whatsapp:+1...``."""
    number = text.removeprefix("'")
    head, colon, rest = number.partition(":")
    if colon and head.isalpha():
        number = rest
    return add_plus(number) if plus_left_out else number
