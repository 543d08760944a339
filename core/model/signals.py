"""What carriers, messaging providers and diallers tell about a number: one event of one message or call."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from .blocks import Channel, RecordName


class Outcome(StrEnum):
    """What became of a call or a message (docs/contract.md, section 4, `history import`)."""

    CONNECTED = "connected"
    VOICEMAIL = "voicemail"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    OUT_OF_SERVICE = "out_of_service"
    WRONG_NUMBER = "wrong_number"
    ASKED_NOT_TO_CALL = "asked_not_to_call"
    DECEASED = "deceased"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    BLOCKED = "blocked"


class OptOutWord(StrEnum):
    """What somebody asked for in a text message."""

    STOP = "stop"
    START = "start"
    NEAR_STOP = "near_stop"  # meant as a STOP by a person, and not one of the exact words
    NEAR_WRONG_NUMBER = "near_wrong_number"

    __hash__ = str.__hash__


class Signal(NamedTuple):
    """One event that somebody outside told us.

    ``vendor`` and ``id`` make it unique: the same one told again does nothing. ``number`` is the text of the phone
    number as it was told, and ``region`` the ISO 3166 region for reading it. ``said`` is a text message's whole body,
    where it is one. ``code`` is the vendor's own word for what happened, such as ``30005``, and ``detail`` its words
    for people. ``occurred_at`` is aware, in UTC.
    """

    vendor: str
    id: str
    number: str
    occurred_at: datetime
    outcome: Outcome | None = None
    word: OptOutWord | None = None
    said: str = ""
    code: str = ""
    detail: str = ""
    channel: Channel = Channel.ALL
    region: str | None = None
    record: RecordName | None = None
    sender: str = ""  # our own number or messaging service that it was sent to or from
