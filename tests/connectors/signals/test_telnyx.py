"""Telnyx' signatures, and what its events tell."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.connectors.signals.received import Finding, Received
from ringfence.connectors.signals.telnyx import read, verify
from ringfence.core.errors import UsageError
from ringfence.core.model.signals import OptOutWord, Outcome

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
URL = "https://ringfence.example.com/signals/telnyx"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = b64encode(KEY.public_key().public_bytes_raw()).decode()
OTHER = b64encode(Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()).decode()


def event(kind: str, payload: Any, at: str = "2026-11-30T11:59:58.1+00:00") -> dict[str, Any]:
    return {"data": {"event_type": kind, "id": "e1", "occurred_at": at, "payload": payload}}


def posted(document: Any, seconds: int | str | None = None, key: Ed25519PrivateKey = KEY) -> Received:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    timestamp = str(int(NOW.timestamp()) if seconds is None else seconds)
    signature = b64encode(key.sign(timestamp.encode() + b"|" + body)).decode()
    return Received(URL, {"telnyx-signature-ed25519": signature, "telnyx-timestamp": timestamp}, body, NOW)


def test_counts_by_the_public_key_and_for_five_minutes() -> None:
    now = int(NOW.timestamp())
    assert verify(posted({}), [OTHER, PUBLIC]) is Finding.GENUINE
    assert verify(posted({}), [OTHER]) is Finding.WRONG
    assert verify(posted({}, now - 300), [PUBLIC]) is Finding.GENUINE
    assert verify(posted({}, now - 301), [PUBLIC]) is Finding.STALE
    assert verify(posted({}, now + 301), [PUBLIC]) is Finding.STALE
    assert verify(posted({}, "soon"), [PUBLIC]) is Finding.STALE
    assert verify(posted({}), ["no key"]) is Finding.WRONG
    assert verify(posted({}), []) is Finding.NO_KEY
    assert verify(Received(URL, {}, b"{}", NOW), [PUBLIC]) is Finding.MISSING
    changed = posted({})
    assert verify(Received(URL, changed.headers, b"{ }", NOW), [PUBLIC]) is Finding.WRONG


def test_reads_a_message() -> None:
    told = {"id": "m1", "direction": "inbound", "from": {"phone_number": "+14155552671"}, "text": "STOP"}
    (signal,) = read(posted(event("message.received", {**told, "to": [{"phone_number": "+14155550100"}]})))
    assert (signal.id, signal.number, signal.said, signal.word) == ("m1:inbound", "+14155552671", "STOP", None)
    assert signal.occurred_at == datetime(2026, 11, 30, 11, 59, 58, 100_000, tzinfo=UTC)
    (seen,) = read(posted(event("message.received", {**told, "text": "Basta", "autoresponse_type": "opt_out"})))
    assert seen.word is OptOutWord.STOP


def test_reads_what_became_of_a_message_for_each_recipient() -> None:
    to = [
        {"phone_number": "+14155552671", "status": "delivery_failed"},
        {"phone_number": "+14155552672", "status": "delivered"},
    ]
    told = {"id": "m2", "to": to, "errors": [{"code": "40300", "title": "Blocked due to STOP message"}]}
    failed, arrived = read(posted(event("message.finalized", told)))
    assert (failed.outcome, failed.word, failed.code) == (Outcome.BLOCKED, OptOutWord.STOP, "40300")
    assert (arrived.number, arrived.outcome, arrived.word) == ("+14155552672", Outcome.DELIVERED, None)
    assert failed.id != arrived.id


def test_reads_how_a_call_ended() -> None:
    told = {"call_leg_id": "c1", "to": "+14155552671", "from": "+14155550100", "hangup_cause": "unallocated_number"}
    (signal,) = read(posted(event("call.hangup", told)))
    assert (signal.outcome, signal.code) == (Outcome.OUT_OF_SERVICE, "unallocated_number")
    assert read(posted(event("call.hangup", {**told, "hangup_cause": "normal_clearing"}))) == []
    assert read(posted(event("call.hangup", {**told, "direction": "incoming"}))) == []


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"data": 1}', b'{"data": {"payload": 1}}', b"[" * 100_000])
def test_refuses_what_is_no_event(body: bytes) -> None:
    with pytest.raises(UsageError):
        read(posted(body))


def test_an_event_of_something_else_tells_nothing() -> None:
    assert read(posted(event("number_order.complete", {}))) == []
    with pytest.raises(UsageError, match="no id"):
        read(posted(event("message.received", {"from": {"phone_number": "+14155552671"}})))
