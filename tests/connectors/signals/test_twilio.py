"""Twilio's signatures by the vectors of its own libraries, and what its requests tell."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest

from ringfence.connectors.signals.received import FORM, Finding, Received
from ringfence.connectors.signals.twilio import read_inbound, read_status, sign, verify
from ringfence.core.errors import UsageError
from ringfence.core.model.signals import OptOutWord, Outcome

VECTORS = (
    Path(__file__).resolve().parents[3] / ".." / "shared" / "traffic" / "twilio" / "request-signature-vectors.json"
)
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
URL = "https://ringfence.example.com/signals/twilio/inbound"
TOKEN = "12345"
MESSAGE = [("MessageSid", "SM1"), ("From", "+14155552671"), ("To", "+14155550100"), ("Body", "Stop"), ("Extra", "")]


def form(fields: list[tuple[str, str]], url: str = URL, signature: str | None = None, **headers: str) -> Received:
    given = sign(url, fields, TOKEN) if signature is None else signature
    named = {"content-type": FORM, "x-twilio-signature": given} | headers
    return Received(url, named, urlencode(fields).encode(), NOW)


def vectors() -> list[dict[str, object]]:
    if not VECTORS.exists():
        pytest.skip("the vectors are not here")
    found: list[dict[str, object]] = json.loads(VECTORS.read_text("utf-8"))["vectors"]
    return found


def test_holds_by_the_vectors_of_twilios_libraries() -> None:
    known = vectors()
    first = list(dict(known[0]["params"]).items())  # type: ignore[call-overload]  # JSON
    for vector in known:
        fields = [tuple(each) for each in vector.get("params_multi", [])] or first  # type: ignore[attr-defined]  # JSON
        body = vector.get("body")
        headers = {"x-twilio-signature": str(vector["signature"])}
        received = (
            Received(str(vector["url"]), {**headers, "content-type": FORM}, urlencode(fields).encode(), NOW)
            if body is None
            else Received(str(vector["url"]), {**headers, "content-type": "application/json"}, str(body).encode(), NOW)
        )
        assert verify(received, [TOKEN]) is Finding.GENUINE, vector
        assert verify(received, ["another"]) is Finding.WRONG, vector


def test_covers_every_field_and_the_address() -> None:
    assert verify(form(MESSAGE), ["old", TOKEN]) is Finding.GENUINE
    signature = sign(URL, MESSAGE, TOKEN)
    assert verify(form([*MESSAGE, ("More", "1")], signature=signature), [TOKEN]) is Finding.WRONG
    assert verify(form(MESSAGE[:-1], signature=signature), [TOKEN]) is Finding.WRONG
    assert verify(form(MESSAGE, URL + "?a=1", signature), [TOKEN]) is Finding.WRONG
    assert verify(form(MESSAGE, URL.replace("inbound", "status"), signature), [TOKEN]) is Finding.WRONG


@pytest.mark.parametrize("signed", ["https://a.example:443/x", "https://a.example/x"])
@pytest.mark.parametrize("called", ["https://a.example:443/x", "https://a.example/x"])
def test_takes_the_address_with_and_without_its_port(signed: str, called: str) -> None:
    assert verify(form(MESSAGE, called, sign(signed, MESSAGE, TOKEN)), [TOKEN]) is Finding.GENUINE


def test_a_shared_key_signs_by_sha_256_and_by_nothing_unknown() -> None:
    signature = sign(URL, MESSAGE, TOKEN, hashlib.sha256)
    settings = "key=webhooks_sharedkey_1,algorithm="
    header = "x-twilio-webhooks-signature-settings"
    assert verify(form(MESSAGE, signature=signature, **{header: settings + "HMAC_SHA256"}), [TOKEN]) is Finding.GENUINE
    assert verify(form(MESSAGE, signature=signature, **{header: settings + "NONE"}), [TOKEN]) is Finding.WRONG
    assert verify(form(MESSAGE, signature=signature), [TOKEN]) is Finding.WRONG


def test_a_body_of_json_counts_by_its_digest_alone() -> None:
    body = b'{"MessageSid": "SM1", "From": "+14155552671"}'
    url = f"{URL}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = {"content-type": "application/json", "x-twilio-signature": sign(url, [], TOKEN)}
    assert verify(Received(url, headers, body, NOW), [TOKEN]) is Finding.GENUINE
    assert verify(Received(url, headers, body + b" ", NOW), [TOKEN]) is Finding.WRONG
    # Without a digest in the address nothing would cover the body.
    bare = {**headers, "x-twilio-signature": sign(URL, [], TOKEN)}
    assert verify(Received(URL, bare, body, NOW), [TOKEN]) is Finding.WRONG


def test_nothing_counts_without_a_key_or_a_signature() -> None:
    assert verify(form(MESSAGE), []) is Finding.NO_KEY
    assert verify(form(MESSAGE, signature=sign(URL, MESSAGE, "")), [""]) is Finding.NO_KEY
    assert verify(Received(URL, {"content-type": FORM}, b"", NOW), [TOKEN]) is Finding.MISSING
    assert verify(form(MESSAGE, signature="§" + b64encode(b"x").decode()), [TOKEN]) is Finding.WRONG


def test_reads_a_message_and_what_twilio_saw_in_it() -> None:
    (signal,) = read_inbound(form([*MESSAGE, ("OptOutType", "STOP")]))
    assert (signal.id, signal.number, signal.said, signal.word) == (
        "SM1:inbound",
        "+14155552671",
        "Stop",
        OptOutWord.STOP,
    )
    assert (signal.occurred_at, signal.sender) == (NOW, "+14155550100")
    (helped,) = read_inbound(form([*MESSAGE, ("OptOutType", "HELP")]))
    assert helped.word is None
    (by_whatsapp,) = read_inbound(form([("MessageSid", "SM2"), ("From", "whatsapp:+14155552671"), ("Body", "Hi")]))
    assert by_whatsapp.number == "+14155552671"
    assert read_inbound(form([("MessageSid", "SM3"), ("From", "messenger:123"), ("Body", "stop")])) == []


@pytest.mark.parametrize(
    ("status", "code", "outcome", "word"),
    [
        ("delivered", "", Outcome.DELIVERED, None),
        ("undelivered", "30003", Outcome.UNDELIVERED, None),
        ("undelivered", "30005", Outcome.OUT_OF_SERVICE, None),
        ("failed", "21610", Outcome.BLOCKED, OptOutWord.STOP),
        ("failed", "99999", Outcome.UNDELIVERED, None),
        ("delivered", "21610", Outcome.DELIVERED, None),
    ],
)
def test_reads_what_became_of_a_message(status: str, code: str, outcome: Outcome, word: OptOutWord | None) -> None:
    told = [("MessageSid", "SM1"), ("MessageStatus", status), ("To", "+14155552671"), ("ErrorCode", code)]
    (signal,) = read_status(form(told))
    assert (signal.id, signal.outcome, signal.word) == (f"SM1:{status}", outcome, word)
    assert (signal.number, signal.code) == ("+14155552671", code)


def test_a_report_that_is_not_the_last_tells_nothing_and_a_broken_one_is_refused() -> None:
    assert read_status(form([("MessageSid", "SM1"), ("MessageStatus", "sent"), ("To", "+14155552671")])) == []
    with pytest.raises(UsageError, match="MessageSid"):
        read_status(form([("MessageStatus", "sent"), ("To", "+14155552671")]))
    for body in (b"[]", b"{", b"\xff", b"[" * 100_000):
        with pytest.raises(UsageError):
            read_inbound(Received(URL, {"content-type": "application/json"}, body, NOW))


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ({"CallStatus": "busy"}, Outcome.BUSY),
        ({"CallStatus": "no-answer"}, Outcome.NO_ANSWER),
        ({"CallStatus": "completed"}, Outcome.CONNECTED),
        ({"CallStatus": "completed", "AnsweredBy": "machine_end_beep"}, Outcome.VOICEMAIL),
        ({"CallStatus": "failed", "SipResponseCode": "404"}, Outcome.OUT_OF_SERVICE),
        ({"CallStatus": "failed", "SipResponseCode": "503"}, None),
        ({"CallStatus": "ringing"}, None),
        ({"CallStatus": "completed", "Direction": "inbound"}, None),
    ],
)
def test_reads_how_a_call_ended(more: dict[str, str], outcome: Outcome | None) -> None:
    found = read_status(form([("CallSid", "CA1"), ("To", "+14155552671"), ("From", "+14155550100"), *more.items()]))
    assert [(each.outcome, each.channel.value, each.word) for each in found] == (
        [] if outcome is None else [(outcome, "voice", None)]
    )
