"""Messaging providers and a dialler as a service hears them: what they tell about numbers, signed as each signs.

The keys are the sandbox's own and no secrets. Signing is written here once more than in the connectors: so each is a
check of the other.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TWILIO_TOKEN = "sandbox-twilio-auth-token"  # noqa: S105 - opens nothing but a service that is tried out
VONAGE_SECRET = "sandbox-vonage-signature-secret"  # noqa: S105 - likewise
DIALLER_SECRET = "sandbox-dialler-secret"  # noqa: S105 - likewise
_TELNYX_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"sandbox telnyx key").digest())

OUR_NUMBER = "+12125550100"
AREAS = ("206", "212", "303", "312", "404", "415", "512", "602", "617", "702", "713", "801", "816", "916")
"""Area codes whose numbers 555-0100 to 555-0199 nobody has."""

_SIGNED_FIELD = re.compile(rb"&sig=[0-9a-f]+")
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class SignedPost:
    """A request that tells something: to the path, with the headers. ``becomes`` is what a new one is answered with.

    That is the `result` of a dialler's signal; vendors are told nothing.
    """

    vendor: str
    path: str
    headers: dict[str, str]
    body: bytes
    becomes: str = ""

    def forged(self) -> SignedPost:
        """Return one of another body under the same signature."""
        return replace(self, body=self.body.replace(b"5550", b"5551"))

    def unsigned(self) -> SignedPost:
        """Return one without any signature."""
        plain = {name: value for name, value in self.headers.items() if name == "Content-Type"}
        return replace(self, headers=plain, body=_SIGNED_FIELD.sub(b"", self.body))


def settings() -> dict[str, str]:
    """Return the settings by which a service knows these vendors."""
    return {
        "RINGFENCE_TWILIO__WEBHOOK_TOKEN": TWILIO_TOKEN,
        "RINGFENCE_VONAGE__SIGNATURE_SECRET": VONAGE_SECRET,
        "RINGFENCE_TELNYX__PUBLIC_KEY": b64encode(_TELNYX_KEY.public_key().public_bytes_raw()).decode(),
        "RINGFENCE_SIGNALS__SECRET": DIALLER_SECRET,
    }


def number_at(place: int) -> str:
    """Return one of 1,400 numbers that nobody has."""
    return f"+1{AREAS[place % len(AREAS)]}55501{place // len(AREAS) % 100:02}"


def make_post(url: str, run: str, place: int, now: datetime) -> SignedPost:
    """Return the signal at a place of a run: its kinds take turns. ``url`` is where the service is called."""
    kind, number, id_ = _KINDS[place % len(_KINDS)], number_at(place), f"{run}-{place}"
    return kind(url.rstrip("/"), number, id_, now)


def _twilio(url: str, kind: str, fields: dict[str, str]) -> SignedPost:
    path = f"/signals/twilio/{kind}"
    signed = url + path + "".join(name + fields[name] for name in sorted(fields))
    signature = b64encode(hmac.new(TWILIO_TOKEN.encode(), signed.encode(), hashlib.sha1).digest()).decode()
    return SignedPost(
        "twilio", path, {"Content-Type": _FORM, "X-Twilio-Signature": signature}, urlencode(fields).encode()
    )


def _message(text: str) -> Callable[[str, str, str, datetime], SignedPost]:
    def make(url: str, number: str, id_: str, _now: datetime) -> SignedPost:
        return _twilio(url, "inbound", {"MessageSid": f"SM{id_}", "From": number, "To": OUR_NUMBER, "Body": text})

    return make


def _report(status: str, code: str) -> Callable[[str, str, str, datetime], SignedPost]:
    def make(url: str, number: str, id_: str, _now: datetime) -> SignedPost:
        told = {"MessageSid": f"SM{id_}", "MessageStatus": status, "ErrorCode": code, "To": number, "From": OUR_NUMBER}
        return _twilio(url, "status", told)

    return make


def _vonage_message(_url: str, number: str, id_: str, now: datetime) -> SignedPost:
    told = {"message_uuid": id_, "channel": "sms", "from": number[1:], "to": OUR_NUMBER[1:], "text": "STOP"}
    body = json.dumps({**told, "timestamp": now.astimezone(UTC).isoformat()}).encode()
    claims = {"iat": int(now.timestamp()), "payload_hash": hashlib.sha256(body).hexdigest()}
    parts = b".".join(_base64url(json.dumps(each).encode()) for each in ({"alg": "HS256", "typ": "JWT"}, claims))
    signature = _base64url(hmac.new(VONAGE_SECRET.encode(), parts, hashlib.sha256).digest())
    headers = {"Content-Type": _JSON, "Authorization": f"Bearer {parts.decode()}.{signature.decode()}"}
    return SignedPost("vonage", "/signals/vonage/inbound", headers, body)


def _vonage_report(_url: str, number: str, id_: str, now: datetime) -> SignedPost:
    told = {"msisdn": number[1:], "to": OUR_NUMBER[1:], "messageId": id_, "status": "failed", "err-code": "9"}
    told["timestamp"] = str(int(now.timestamp()))
    signed = "".join(f"&{name}={told[name]}" for name in sorted(told))
    told["sig"] = hmac.new(VONAGE_SECRET.encode(), signed.encode(), hashlib.sha256).hexdigest()
    return SignedPost("vonage", "/signals/vonage/status", {"Content-Type": _FORM}, urlencode(told).encode())


def _telnyx(id_: str, kind: str, payload: dict[str, Any], now: datetime) -> SignedPost:
    event = {"event_type": kind, "id": id_, "occurred_at": now.astimezone(UTC).isoformat(), "payload": payload}
    body, timestamp = json.dumps({"data": event}).encode(), str(int(now.timestamp()))
    signature = b64encode(_TELNYX_KEY.sign(f"{timestamp}|".encode() + body)).decode()
    headers = {"Content-Type": _JSON, "telnyx-signature-ed25519": signature, "telnyx-timestamp": timestamp}
    return SignedPost("telnyx", "/signals/telnyx", headers, body)


def _telnyx_message(_url: str, number: str, id_: str, now: datetime) -> SignedPost:
    payload = {"id": id_, "direction": "inbound", "from": {"phone_number": number}, "text": "please stop"}
    return _telnyx(id_, "message.received", payload, now)


def _telnyx_report(_url: str, number: str, id_: str, now: datetime) -> SignedPost:
    to = [{"phone_number": number, "status": "delivery_failed"}]
    return _telnyx(id_, "message.finalized", {"id": id_, "to": to, "errors": [{"code": "40300"}]}, now)


def _call(event: str, becomes: str) -> Callable[[str, str, str, datetime], SignedPost]:
    def make(_url: str, number: str, id_: str, now: datetime) -> SignedPost:
        told = {"id": id_, "number": number, "event": event, "occurred_at": now.astimezone(UTC).isoformat()}
        body, seconds = json.dumps(told).encode(), str(int(now.timestamp()))
        signature = hmac.new(DIALLER_SECRET.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": _JSON, "X-Ringfence-Signature": f"t={seconds},v1={signature}"}
        return SignedPost("generic", "/signals/generic", headers, body, becomes)

    return make


def _base64url(content: bytes) -> bytes:
    return urlsafe_b64encode(content).rstrip(b"=")


_KINDS = (
    _message("STOP"),
    _report("delivered", ""),
    _report("undelivered", "30005"),
    _vonage_message,
    _vonage_report,
    _telnyx_message,
    _telnyx_report,
    _call("busy", "evidence"),
    _call("asked_not_to_call", "blocked"),
    _message("Who is this?"),
)
