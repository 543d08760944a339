"""Signals of diallers: signatures over the time and the body, and what the body holds."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import pytest

from ringfence.connectors.signals.generic import read, sign, verify
from ringfence.connectors.signals.received import Finding, Received
from ringfence.core.errors import UsageError
from ringfence.core.model.blocks import Channel, RecordName
from ringfence.core.model.signals import Outcome

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
BODY = b'{"id": "1"}'
SECRET = "s3cret"
TOLD = {"id": "call-1", "number": "+14155552671", "event": "wrong_number", "occurred_at": "2026-11-30T11:59:00Z"}


def given(header: str, body: bytes = BODY) -> Received:
    return Received("https://a.example/signals/generic", {"x-ringfence-signature": header}, body, NOW)


def signed(seconds: int = SECONDS, secret: str = SECRET) -> str:
    return f"t={seconds},v1={sign(str(seconds), BODY, secret)}"


def test_is_an_hmac_over_the_seconds_and_the_body() -> None:
    by_hand = hmac.new(SECRET.encode(), f"{SECONDS}.".encode() + BODY, hashlib.sha256).hexdigest()
    assert verify(given(f"t={SECONDS},v1={by_hand}"), [SECRET]) is Finding.GENUINE
    assert verify(given(f"t={SECONDS}, v1=00, v1={by_hand.upper()}"), ["old", SECRET]) is Finding.GENUINE


def test_counts_for_five_minutes_over_this_body_alone() -> None:
    assert verify(given(signed(SECONDS - 300)), [SECRET]) is Finding.GENUINE
    assert verify(given(signed(SECONDS - 301)), [SECRET]) is Finding.STALE
    assert verify(given(signed(SECONDS + 301)), [SECRET]) is Finding.STALE
    assert verify(given(signed(), BODY + b" "), [SECRET]) is Finding.WRONG
    assert verify(given(signed(secret="another")), [SECRET]) is Finding.WRONG
    moved = signed(SECONDS - 400).replace(f"t={SECONDS - 400}", f"t={SECONDS}")
    assert verify(given(moved), [SECRET]) is Finding.WRONG


@pytest.mark.parametrize(
    "header", ["", "v1=00", "t=,v1=00", "t=99999999999999999999,v1=00", "t=-5,v1=00", "t=١٢٣,v1=00"]
)
def test_a_time_that_nobody_can_read_is_stale(header: str) -> None:
    assert verify(given(header), [SECRET]) is Finding.STALE


def test_nothing_counts_without_a_key_or_a_signature() -> None:
    assert verify(given(signed(secret="")), [""]) is Finding.NO_KEY
    assert verify(Received("", {}, BODY, NOW), [SECRET]) is Finding.MISSING


def test_reads_all_that_is_told() -> None:
    (signal,) = read({**TOLD, "channel": "sms", "region": "US", "record": "hubspot:contacts:12"}, NOW)
    assert (signal.id, signal.outcome, signal.channel) == ("call-1", Outcome.WRONG_NUMBER, Channel.SMS)
    assert (signal.region, signal.record) == ("US", RecordName("hubspot", "contacts", "12"))
    assert read(TOLD, NOW)[0].channel is Channel.VOICE


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"event": "bored"}, "event"),
        ({"occurred_at": "2026-11-30T11:59:00"}, "occurred_at"),
        ({"occurred_at": 5}, "occurred_at"),
        ({"occurred_at": "2026-11-30T12:05:01Z"}, "yet to come"),
        ({"number": ""}, "number"),
        ({"number": 14155552671}, "number"),
        ({"id": "x" * 201}, "id"),
        ({"record": "hubspot:12"}, "record"),
        ({"more": 1}, "more"),
        ({"channel": "fax"}, "channel"),
    ],
)
def test_names_what_is_wrong(change: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError, match=named) as refused:
        read({**TOLD, **change}, NOW)
    assert "4155552671" not in str(refused.value)


@pytest.mark.parametrize("document", [None, [], "text", 1])
def test_what_is_no_object_is_no_signal(document: Any) -> None:
    with pytest.raises(UsageError, match="no object"):
        read(document, NOW)
