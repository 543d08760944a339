"""What Telnyx tells: messages that people sent, what became of ours, and how calls ended.

Telnyx signs ``timestamp|body`` with an Ed25519 key whose public half its portal shows (Webhook signing in Telnyx'
documentation). The timestamp is in seconds, and a signature counts for five minutes.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ringfence.core.errors import UsageError
from ringfence.core.model.blocks import Channel
from ringfence.core.model.signals import OptOutWord, Outcome, Signal

from .codes import codes_of
from .received import HOLDS, Finding, Received, read_moment, read_seconds

VENDOR = "telnyx"
HEADER = "telnyx-signature-ed25519"
TIMESTAMP_HEADER = "telnyx-timestamp"

_HUNG_UP = {
    "user_busy": Outcome.BUSY,
    "timeout": Outcome.NO_ANSWER,
    "no_answer": Outcome.NO_ANSWER,
    "unallocated_number": Outcome.OUT_OF_SERVICE,
    "not_found": Outcome.OUT_OF_SERVICE,
}
"""How calls end that tell something of the number; a call that was hung up in the ordinary way was answered or not."""

_RESPONSES = {"opt_out": OptOutWord.STOP, "opt_in": OptOutWord.START}
"""What Telnyx itself understood, where the messaging profile answers opt-outs."""


def verify(received: Received, keys: Iterable[str]) -> Finding:
    """Return whether Telnyx sent the request, by any of the public keys (base64) that are set."""
    given, timestamp = received.headers.get(HEADER), received.headers.get(TIMESTAMP_HEADER, "")
    used = [key for key in keys if key]
    if given is None:
        return Finding.MISSING
    if not used:
        return Finding.NO_KEY
    moment = read_seconds(timestamp.strip())
    if moment is None or abs(received.now - moment) > HOLDS:
        return Finding.STALE
    signed = timestamp.strip().encode() + b"|" + received.body
    return Finding.GENUINE if any(_is_signed(signed, given, key) for key in used) else Finding.WRONG


def read(received: Received) -> list[Signal]:
    """Return what an event tells of a number; nothing for those that tell nothing. Raises UsageError for no event."""
    event = _object(_object(_read_json(received.body), "the body").get("data"), "data")
    kind, about = str(event.get("event_type", "")), _object(event.get("payload"), "payload")
    if kind == "message.received":
        return _read_inbound(received, event, about)
    if kind == "message.finalized":
        return _read_finalized(received, event, about)
    if kind == "call.hangup":
        return _read_hangup(received, event, about)
    return []


def _read_inbound(received: Received, event: Mapping[str, Any], about: Mapping[str, Any]) -> list[Signal]:
    number = _phone(about.get("from"))
    if number is None or about.get("direction") == "outbound":
        return []
    to = about.get("to")
    sender = _phone(to[0]) if isinstance(to, list) and to else None
    signal = _base(received, event, f"{_id(about)}:inbound", number)
    word = _RESPONSES.get(str(about.get("autoresponse_type") or "").lower())
    return [signal._replace(word=word, said=str(about.get("text") or ""), channel=Channel.SMS, sender=sender or "")]


def _read_finalized(received: Received, event: Mapping[str, Any], about: Mapping[str, Any]) -> list[Signal]:
    errors = about.get("errors")
    codes = [str(each.get("code", "")) for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []
    found, sender = [], _phone(about.get("from")) or ""
    to = about.get("to")
    for place, each in enumerate(to if isinstance(to, list) else []):
        number = _phone(each)
        status = str(each.get("status", "")) if isinstance(each, dict) else ""
        known = codes_of(VENDOR)
        code = next((one for one in codes if one in known.codes), codes[0] if codes else "")
        meaning = known.read(status, code)
        if number is None or meaning is None:
            continue
        signal = _base(received, event, f"{_id(about)}:{status}:{place}", number)
        signal = signal._replace(outcome=meaning.outcome, word=meaning.word, code=code, detail=meaning.means)
        found.append(signal._replace(channel=Channel.SMS, sender=sender))
    return found


def _read_hangup(received: Received, event: Mapping[str, Any], about: Mapping[str, Any]) -> list[Signal]:
    cause = str(about.get("hangup_cause", "")).lower()
    number, outcome = _phone(about.get("to")), _HUNG_UP.get(cause)
    if number is None or outcome is None or about.get("direction") == "incoming":
        return []
    call = str(about.get("call_leg_id") or about.get("call_control_id") or "")
    if not call:
        raise UsageError("call_leg_id is missing.", "Let Telnyx send its own events here.")
    signal = _base(received, event, f"{call}:hangup", number)
    return [signal._replace(outcome=outcome, code=cause, channel=Channel.VOICE, sender=_phone(about.get("from")) or "")]


def _base(received: Received, event: Mapping[str, Any], name: str, number: str) -> Signal:
    return Signal(VENDOR, name, number, read_moment(event.get("occurred_at")) or received.now)


def _is_signed(signed: bytes, given: str, key: str) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(b64decode(key, validate=True)).verify(b64decode(given), signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _read_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UsageError("The body is no JSON.", "Let Telnyx send its own events here.") from error


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{name} is no object.", "Let Telnyx send its own events here.")
    return value


def _id(about: Mapping[str, Any]) -> str:
    if not about.get("id"):
        raise UsageError("The message has no id.", "Let Telnyx send its own events here.")
    return str(about["id"])


def _phone(value: Any) -> str | None:
    """Return the phone number of a side, which is an object in messages and a text in calls; None for no number."""
    text = value.get("phone_number") if isinstance(value, dict) else value
    return text.strip() if isinstance(text, str) and text.strip().startswith("+") else None
