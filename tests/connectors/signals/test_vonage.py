"""Vonage's signatures, of its tokens and of its fields, and what its requests tell."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from ringfence.connectors.signals.received import FORM, Finding, Received
from ringfence.connectors.signals.vonage import read_inbound, read_status, sign_fields, verify
from ringfence.core.errors import UsageError
from ringfence.core.model.signals import OptOutWord, Outcome

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
URL = "https://ringfence.example.com/signals/vonage/status"
SECRET = "a signature secret"
STATUS = {
    "message_uuid": "aaaa-1",
    "to": "447700900000",
    "from": "447700900001",
    "timestamp": "2026-11-30T11:59:00Z",
    "status": "rejected",
    "channel": "sms",
    "error": {"type": "https://developer.vonage.com/api-errors/messages#1190", "title": 1190, "detail": "absent"},
}
LENGTHS = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}


def encode(part: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def token(body: bytes, secret: str = SECRET, head: dict[str, Any] | None = None, **claims: Any) -> str:
    told = {"iat": int(NOW.timestamp()), "payload_hash": hashlib.sha256(body).hexdigest()} | claims
    signed = f"{encode(head or {'alg': 'HS256', 'typ': 'JWT'})}.{encode(told)}"
    signature = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def posted(document: Any, bearer: str | None = None, **claims: Any) -> Received:
    body = json.dumps(document).encode()
    bearer = token(body, **claims) if bearer is None else bearer
    return Received(URL, {"content-type": "application/json", "authorization": f"Bearer {bearer}"}, body, NOW)


def sms(fields: dict[str, str], length: int = 64, secret: str = SECRET, which: int = 0) -> Received:
    told = {"timestamp": str(int(NOW.timestamp()))} | fields
    signed = told | {"sig": list(sign_fields(told, secret, length))[which]}
    return Received(URL, {"content-type": FORM}, urlencode(signed).encode(), NOW)


def test_a_token_counts_over_this_body_and_for_a_day() -> None:
    assert verify(posted(STATUS), ["older", SECRET]) is Finding.GENUINE
    assert verify(posted(STATUS, secret="another"), [SECRET]) is Finding.WRONG
    assert verify(posted(STATUS, payload_hash=hashlib.sha256(b"").hexdigest()), [SECRET]) is Finding.WRONG
    assert verify(posted(STATUS, payload_hash=None), [SECRET]) is Finding.WRONG
    yesterday = int((NOW - timedelta(hours=23, minutes=59)).timestamp())
    assert verify(posted(STATUS, iat=yesterday), [SECRET]) is Finding.GENUINE
    assert verify(posted(STATUS, iat=yesterday - 120), [SECRET]) is Finding.STALE
    assert verify(posted(STATUS, iat=int(NOW.timestamp()) + 301), [SECRET]) is Finding.STALE
    assert verify(posted(STATUS, iat=None), [SECRET]) is Finding.STALE
    assert verify(posted(STATUS, iat=float("inf")), [SECRET]) is not Finding.GENUINE


@pytest.mark.parametrize("bearer", ["", "a.b", "a.b.c", "§.§.§", "e30.e30.e30", "W10.W10.W10"])
def test_what_is_no_token_is_wrong(bearer: str) -> None:
    assert verify(posted(STATUS, bearer), [SECRET]) is Finding.WRONG


def test_the_header_of_a_token_chooses_no_way() -> None:
    body = json.dumps(STATUS).encode()
    for head in ({"alg": "none"}, {"alg": "RS256"}, {"typ": "JWT"}):
        assert verify(posted(STATUS, token(body, head=head)), [SECRET]) is Finding.WRONG
    unsigned = f"{encode({'alg': 'none'})}.{encode({'iat': 1})}."
    assert verify(posted(STATUS, unsigned), [SECRET]) is Finding.WRONG
    assert verify(posted(STATUS, token(body, secret="")), [""]) is Finding.NO_KEY


def test_signs_fields_as_vonages_libraries_do() -> None:
    told = {"a": "1", "b": "2", "timestamp": "1461605396"}
    assert "6af838ef94998832dbfc29020b564830" in list(sign_fields(told, "secret", 32))
    assert "c15c21ced558c93a226c305f58f902f2" in list(sign_fields(told, "secret", 32))
    assert list(sign_fields(told, "secret", 40)) == ["3e19a4e6880fdc2c1426bfd0587c98b9532f0210"]
    assert list(sign_fields(told, "secret", 7)) == []


@pytest.mark.parametrize("length", LENGTHS.values(), ids=LENGTHS)
def test_fields_count_by_each_way_and_for_a_day(length: int) -> None:
    told = {"msisdn": "447700900000", "messageId": "0A", "text": "a&b=c"}
    for which in range(2 if length == LENGTHS["md5"] else 1):
        assert verify(sms(told, length, which=which), [SECRET]) is Finding.GENUINE
    assert verify(sms(told, length, secret="another"), [SECRET]) is Finding.WRONG
    old = str(int((NOW - timedelta(hours=24, minutes=1)).timestamp()))
    assert verify(sms({**told, "timestamp": old}, length), [SECRET]) is Finding.STALE


def test_nothing_counts_unsigned_or_without_a_key() -> None:
    bare = Received(URL, {"content-type": FORM}, b"msisdn=1&messageId=2", NOW)
    assert verify(bare, [SECRET]) is Finding.MISSING
    assert verify(Received(URL, {}, b"\xff{", NOW), [SECRET]) is Finding.MISSING
    assert verify(posted(STATUS), []) is Finding.NO_KEY
    assert verify(sms({"messageId": "1"}), []) is Finding.NO_KEY


def test_reads_messages_of_both_interfaces() -> None:
    told = {"channel": "sms", "message_uuid": "bbbb", "to": "12345", "from": "447700900000", "text": "STOP"}
    (signal,) = read_inbound(posted({**told, "timestamp": "2026-11-30T11:59:00.5Z"}))
    assert (signal.id, signal.number, signal.said) == ("bbbb:inbound", "+447700900000", "STOP")
    assert signal.occurred_at == datetime(2026, 11, 30, 11, 59, 0, 500_000, tzinfo=UTC)
    assert read_inbound(posted({**told, "channel": "messenger"})) == []

    (older,) = read_inbound(posted({**told, "from": {"type": "sms", "number": "447700900000"}}))
    assert (older.number, older.occurred_at) == ("+447700900000", NOW)

    fields = {"msisdn": "447700900000", "to": "447700900001", "messageId": "0A", "text": "Stop"}
    (by_sms,) = read_inbound(sms({**fields, "message-timestamp": "2026-11-30 11:58:00"}))
    assert (by_sms.number, by_sms.occurred_at) == ("+447700900000", datetime(2026, 11, 30, 11, 58, tzinfo=UTC))


@pytest.mark.parametrize(
    ("code", "outcome", "word"),
    [
        ("0", Outcome.DELIVERED, None),
        ("3", Outcome.OUT_OF_SERVICE, None),
        ("4", Outcome.UNDELIVERED, None),
        ("9", Outcome.BLOCKED, OptOutWord.STOP),
    ],
)
def test_reads_reports_by_their_codes(code: str, outcome: Outcome, word: OptOutWord | None) -> None:
    status = "delivered" if code == "0" else "failed"
    told = {"msisdn": "447700900000", "messageId": "0A", "status": status, "err-code": code}
    (signal,) = read_status(sms(told))
    assert (signal.id, signal.outcome, signal.word, signal.code) == (f"0A:{status}", outcome, word, code)
    (unsure,) = read_status(sms({**told, "status": "unknown"}))
    assert (unsure.outcome, unsure.word) == (outcome if code != "0" else Outcome.UNDELIVERED, word)


def test_text_that_nobody_can_have_signed_is_wrong() -> None:
    told = {"text": "\ud83d", "sig": "0" * 32, "timestamp": f"{NOW.timestamp():.0f}"}
    unsigned = Received(URL, {"content-type": "application/json"}, json.dumps(told).encode(), NOW)
    assert verify(unsigned, [SECRET]) is Finding.WRONG


def test_a_code_of_the_other_interface_is_no_code_of_a_report() -> None:
    (signal,) = read_status(posted({**STATUS, "error": {"title": 9, "detail": "quota"}}))
    assert (signal.outcome, signal.word, signal.code) == (Outcome.UNDELIVERED, None, "9")
    assert read_status(posted({**STATUS, "status": "submitted"})) == []
    with pytest.raises(UsageError, match="status"):
        read_status(posted({name: value for name, value in STATUS.items() if name != "status"}))
