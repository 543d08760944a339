"""What a dialler of one's own tells, signed with a secret that both sides know (docs/contract.md, section 5).

``X-Ringfence-Signature: t=SECONDS,v1=HEX`` is an HMAC-SHA-256 over ``SECONDS.BODY`` and counts for five minutes.
Several ``v1`` may stand there, while a secret is being replaced.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ringfence.core.errors import UsageError
from ringfence.core.model.blocks import Channel, RecordName
from ringfence.core.model.signals import Outcome, Signal

from .received import HOLDS, Finding, Received, is_equal, read_moment, read_seconds

VENDOR = "generic"
HEADER = "X-Ringfence-Signature"

_MOST_NUMBER = 80
_MOST_ID = 200


def verify(received: Received, keys: Iterable[str]) -> Finding:
    """Return whether somebody who knows one of the secrets sent the request, and did so now."""
    given = received.headers.get(HEADER.lower())
    used = [key for key in keys if key]
    if given is None:
        return Finding.MISSING
    if not used:
        return Finding.NO_KEY

    parts = [part.strip().partition("=") for part in given.split(",")]
    seconds = next((value for name, _, value in parts if name == "t"), "")
    moment = read_seconds(seconds)
    if moment is None or abs(received.now - moment) > HOLDS:
        return Finding.STALE
    expected = [sign(seconds, received.body, key) for key in used]
    found = [is_equal(value.lower(), expected) for name, _, value in parts if name == "v1"]
    return Finding.GENUINE if any(found) else Finding.WRONG


def sign(seconds: str, body: bytes, key: str) -> str:
    """Return the signature of a body at a Unix time in seconds."""
    return hmac.new(key.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()


class _Told(BaseModel):
    """The body of a signal. ``record`` is ``CRM:OBJECT:ID``, as `suppress add --record` has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1, max_length=_MOST_ID)
    number: str = Field(min_length=1, max_length=_MOST_NUMBER)
    event: Outcome
    occurred_at: datetime
    channel: Channel | None = None
    region: str | None = Field(None, max_length=_MOST_NUMBER)
    record: str | None = Field(None, max_length=_MOST_ID)

    @field_validator("occurred_at", mode="before")
    @classmethod
    def _aware(cls, value: object) -> datetime:
        moment = read_moment(value)
        if moment is None:
            raise ValueError("write it as in 2026-12-31T09:30:00Z, with its zone")
        return moment


def read(document: Any, now: datetime) -> list[Signal]:
    """Return what the JSON value of a body tells.

    Raises UsageError, which names the key, for what is no signal, and for one of a time that is yet to come.
    """
    if not isinstance(document, dict):
        raise UsageError("The body is no object.", "Send one event, as docs/service.md shows it.")
    try:
        told = _Told.model_validate(document)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise UsageError(f"The signal is wrong: {problems}.", "Correct it and send it again.") from error
    if told.occurred_at - now > HOLDS:
        raise UsageError("occurred_at is yet to come.", "Set the clock of the dialler, and send it again.")
    return [
        Signal(
            VENDOR,
            told.id,
            told.number,
            told.occurred_at,
            outcome=told.event,
            channel=told.channel or Channel.VOICE,
            region=told.region,
            record=None if told.record is None else _record(told.record),
        )
    ]


def _record(text: str) -> RecordName:
    if (record := read_record(text)) is None:
        raise UsageError("record names no record.", "Write CRM:OBJECT:ID, as in hubspot:contacts:1234.")
    return record


def read_record(text: str) -> RecordName | None:
    """Return the record that ``CRM:OBJECT:ID`` names; None where it names none."""
    account, _, rest = text.partition(":")
    name, _, record_id = rest.partition(":")
    return RecordName(account, name, record_id) if account and name and record_id else None
