"""What Vonage tells: messages that people sent, and what became of ours, by either of its two interfaces.

The Messages API sends a JSON web token (HS256 under the account's signature secret) that holds a SHA-256 digest of the
body and the moment of signing. The SMS API sends a signature among the fields: over all others in the order of their
names, by one of five ways that the account has chosen (Signing Messages in Vonage's documentation). The length tells
the way apart, but for MD5 with and without HMAC, which are both tried.

Vonage repeats for a day what was not answered, and keeps the moment of signing; so a signature counts for that long,
and repeats are told by the message's id.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ringfence.core.errors import UsageError
from ringfence.core.model.blocks import Channel
from ringfence.core.model.signals import Signal

from .codes import codes_of
from .received import HOLDS, Finding, Received, add_plus, is_equal, read_moment, read_seconds

VENDOR = "vonage"
REPEATS = timedelta(hours=24)
"""For how long Vonage repeats what it has signed (docs/contract.md, section 5)."""

_HASHES = {32: hashlib.md5, 40: hashlib.sha1, 64: hashlib.sha256, 128: hashlib.sha512}
_SCHEME = "bearer"
_PARTS = 3
_LINES = frozenset(("sms", "mms", "whatsapp", "rcs", "viber_service", ""))
"""Channels of the Messages API whose people are phone numbers."""


def verify(received: Received, keys: Iterable[str]) -> Finding:
    """Return whether Vonage sent the request, by any of the signature secrets that are set."""
    used = [key for key in keys if key]
    scheme, _, token = received.headers.get("authorization", "").partition(" ")
    if scheme.lower() == _SCHEME:
        return _verify_token(received, token.strip(), used) if used else Finding.NO_KEY

    told = _try_read(received)
    signature = told.get("sig", "") if told else ""
    if not signature or told is None:
        return Finding.MISSING
    if not used:
        return Finding.NO_KEY
    moment = read_seconds(told.get("timestamp", ""))
    if moment is None or _is_stale(moment, received.now):
        return Finding.STALE
    expected = (each for key in used for each in sign_fields(told, key, len(signature)))
    return Finding.GENUINE if is_equal(signature.lower(), expected) else Finding.WRONG


def sign_fields(told: Mapping[str, str], key: str, length: int) -> Iterator[str]:
    """Yield the signatures of the SMS API over the fields that have so many hexadecimal digits."""
    way = _HASHES.get(length)
    if way is None:
        return
    clean = {name: value.replace("&", "_").replace("=", "_") for name, value in told.items() if name != "sig"}
    text = "".join(f"&{name}={clean[name]}" for name in sorted(clean))
    signed = text.encode("utf-8", "replace")  # half an emoji has no bytes, and nobody has signed it
    yield hmac.new(key.encode(), signed, way).hexdigest()
    if way is hashlib.md5:
        yield way(signed + key.encode()).hexdigest()


def read_inbound(received: Received) -> list[Signal]:
    """Return the message that somebody sent us; nothing where the sender is no phone. Raises UsageError for none."""
    told = _read(received)
    if "message_uuid" in told:
        if told.get("channel", "") not in _LINES:
            return []
        message, number, moment = told["message_uuid"], _need(told, "from"), read_moment(told.get("timestamp"))
    else:
        message, number = _need(told, "messageId"), _need(told, "msisdn")
        moment = _read_sms_moment(told.get("message-timestamp", ""))
    return [
        Signal(
            VENDOR,
            f"{message}:inbound",
            add_plus(number),
            moment or received.now,
            said=told.get("text", ""),
            channel=Channel.SMS,
            sender=told.get("to", ""),
        )
    ]


def read_status(received: Received) -> list[Signal]:
    """Return what became of a message of ours; nothing for a report that is not the last. Raises UsageError."""
    told = _read(received)
    if "message_uuid" in told:
        if told.get("channel", "") not in _LINES:
            return []
        message, number, moment = told["message_uuid"], _need(told, "to"), read_moment(told.get("timestamp"))
        # The codes of the Messages API are others than those of a delivery report: they are evidence as they are.
        status, code, known = _need(told, "status").lower(), told.get("error.title", ""), ""
        sender = told.get("from", "")
    else:
        message, number = _need(told, "messageId"), _need(told, "msisdn")
        moment = _read_sms_moment(told.get("message-timestamp", ""))
        status, code, sender = _need(told, "status").lower(), told.get("err-code", ""), told.get("to", "")
        known = code
    meaning = codes_of(VENDOR).read(status, known)
    if meaning is None:
        return []
    return [
        Signal(
            VENDOR,
            f"{message}:{status}",
            add_plus(number),
            moment or received.now,
            outcome=meaning.outcome,
            word=meaning.word,
            code=code,
            detail=told.get("error.detail", "") or meaning.means,
            channel=Channel.SMS,
            sender=sender,
        )
    ]


def _verify_token(received: Received, token: str, keys: list[str]) -> Finding:
    parts = token.split(".")
    if len(parts) != _PARTS:
        return Finding.WRONG
    head, claims = _decode(parts[0]), _decode(parts[1])
    # The header must not choose the way: a token without one, or with another, is none of Vonage's.
    if head is None or claims is None or head.get("alg") != "HS256":
        return Finding.WRONG

    signed = f"{parts[0]}.{parts[1]}".encode()
    expected = (hmac.new(key.encode(), signed, hashlib.sha256).hexdigest() for key in keys)
    if not is_equal(_as_hex(parts[2]), expected):
        return Finding.WRONG
    issued = claims.get("iat")
    moment = read_seconds(f"{issued:.0f}") if isinstance(issued, int | float) else None
    if moment is None or _is_stale(moment, received.now):
        return Finding.STALE
    digest = hashlib.sha256(received.body).hexdigest()
    return Finding.GENUINE if is_equal(str(claims.get("payload_hash", "")).lower(), [digest]) else Finding.WRONG


def _is_stale(moment: datetime, now: datetime) -> bool:
    return not -HOLDS <= now - moment <= REPEATS


def _decode(part: str) -> dict[str, Any] | None:
    try:
        found = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _as_hex(part: str) -> str:
    try:
        return urlsafe_b64decode(part + "=" * (-len(part) % 4)).hex()
    except ValueError:
        return ""


def _try_read(received: Received) -> dict[str, str] | None:
    try:
        return _read(received)
    except UsageError:
        return None


def _read(received: Received) -> dict[str, str]:
    """Return the fields of a form, or of a JSON body and of the objects in it, by name. Raises UsageError."""
    if received.is_form:
        return dict(received.read_form())
    try:
        found = json.loads(received.body)
    except (ValueError, RecursionError) as error:
        raise UsageError("The body is neither a form nor JSON.", "Let Vonage send its own requests here.") from error
    if not isinstance(found, dict):
        raise UsageError("The body is no object.", "Let Vonage send its own requests here.")
    told: dict[str, str] = {}
    for name, value in found.items():
        if isinstance(value, dict):
            told |= {f"{name}.{key}": _plain(each) for key, each in value.items()}
            # Version 0.1 wraps both sides: {"from": {"type": "sms", "number": "..."}}.
            if "number" in value:
                told[name] = _plain(value["number"])
        elif value is not None:
            told[name] = _plain(value)
    return told


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _need(told: Mapping[str, str], name: str) -> str:
    if not told.get(name):
        raise UsageError(f"{name} is missing.", "Let Vonage send its own requests here.")
    return told[name]


def _read_sms_moment(text: str) -> datetime | None:
    """Return the moment of the SMS API, which is in UTC and does not say so; None where it is none."""
    try:
        return datetime.strptime(text.strip()[:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
