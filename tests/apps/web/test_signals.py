"""``/signals``: vendors and diallers over real sockets, what counts of them, and what they bring about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ringfence.apps.settings import build_settings
from ringfence.apps.wiring import Wiring
from ringfence.core.ports.crm import Org
from ringfence.core.state.audit import AuditLog
from ringfence.core.state.cursors import register_org
from ringfence.core.state.holdings import Holding, Holdings
from ringfence.core.state.review_queue import ReviewQueue
from testkit.served import RunningService, running_service
from testkit.vendors import SETTINGS, stop, tell_dialler, tell_telnyx, tell_twilio, tell_vonage

STATUS = {"message_uuid": "m1", "to": "447700900001", "from": "447700900009", "status": "rejected", "channel": "sms"}
PATHS = ("twilio/inbound", "twilio/status", "vonage/inbound", "vonage/status", "telnyx", "generic")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """Give a service that knows every vendor's key, and no CRM."""
    state: Path = tmp_path_factory.mktemp("signals") / "state.db"
    wiring = Wiring(build_settings({"RINGFENCE_STATE_URL": f"sqlite:///{state}", **SETTINGS}))
    with running_service(wiring, works=False) as running:
        yield running


@pytest.fixture(scope="module")
def keyless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """Give a service for which no vendor's key is set."""
    state: Path = tmp_path_factory.mktemp("keyless") / "state.db"
    with running_service(Wiring(build_settings({"RINGFENCE_STATE_URL": f"sqlite:///{state}"})), works=False) as running:
        yield running


def blocked(served: RunningService, number: str, channel: str | None = None) -> bool:
    asked = {"number": number} | ({"channel": channel} if channel else {})
    answer = served.post("/v1/suppressions/check", role="viewer", json=asked)
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["suppressed"])


def waiting(served: RunningService) -> set[tuple[str, str]]:
    store = served.service.store
    with store.transaction() as connection:
        return {(each.reason.value, each.number) for each in ReviewQueue(store.keyring, "").list_open(connection)}


def acts(served: RunningService) -> int:
    store = served.service.store
    with store.transaction() as connection:
        return len(AuditLog(store.keyring).latest(connection, None, 10_000))


def counted(served: RunningService, vendor: str, result: str) -> float:
    name = f'ringfence_signals_total{{result="{result}",vendor="{vendor}"}} '
    lines = served.get("/metrics").text.splitlines()
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))


def event(number: str, what: str, id_: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "number": number, "event": what, "occurred_at": "2026-11-01T09:00:00Z", **more}


def test_a_stop_blocks_text_messages_at_once_and_twilio_is_told_to_say_nothing(served: RunningService) -> None:
    answer = stop(served, "+14155552601", "SM1", "  STOP. ")
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (200, "text/xml")
    assert answer.text.endswith("<Response/>")
    assert blocked(served, "+14155552601", "sms")
    assert not blocked(served, "+14155552601", "voice")


def test_a_repeat_and_a_forged_one_change_nothing_and_are_counted(served: RunningService) -> None:
    stop(served, "+14155552602", "SM2")
    before, wrong = acts(served), counted(served, "twilio", "wrong")
    assert stop(served, "+14155552602", "SM2").status_code == 200
    refused = stop(served, "+14155552603", "SM3", key="forged")

    assert (refused.status_code, refused.json()["code"]) == (401, "signature")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert counted(served, "twilio", "wrong") == wrong + 1
    assert counted(served, "twilio", "known") >= 1
    assert acts(served) == before
    assert not blocked(served, "+14155552603")


def test_a_start_ends_what_the_stop_made(served: RunningService) -> None:
    stop(served, "+14155552604", "SM4")
    answer = stop(served, "+14155552604", "SM5", "START")
    assert answer.status_code == 200
    assert not blocked(served, "+14155552604")


def test_what_may_be_an_opt_out_waits_for_a_person(served: RunningService) -> None:
    stop(served, "+14155552605", "SM6", "please stop texting me")
    stop(served, "+14155552606", "SM7", "who is this?")
    assert ("near_opt_out", "+14155552605") in waiting(served)
    assert not blocked(served, "+14155552605")
    assert not any(number == "+14155552606" for _, number in waiting(served))


def test_twilio_says_that_somebody_has_unsubscribed(served: RunningService) -> None:
    told = {"MessageSid": "SM8", "MessageStatus": "failed", "ErrorCode": "21610", "To": "+14155552607"}
    assert tell_twilio(served, told, "status").status_code == 204
    assert blocked(served, "+14155552607", "sms")
    told |= {"MessageSid": "SM9", "ErrorCode": "30005", "To": "+14155552608"}
    assert tell_twilio(served, told, "status").status_code == 204
    assert not blocked(served, "+14155552608")


def test_the_signature_of_one_path_counts_on_no_other(served: RunningService) -> None:
    told = {"MessageSid": "SM10", "From": "+14155552609", "Body": "STOP"}
    as_status = tell_twilio(served, told, "status")
    assert as_status.status_code == 422  # a message at the path of reports
    moved = served.post(
        "/signals/twilio/inbound",
        data=as_status.request.body,
        headers={name: as_status.request.headers[name] for name in ("Content-Type", "X-Twilio-Signature")},
    )
    assert moved.status_code == 401


def test_vonage_tells_messages_and_reports_for_a_day(served: RunningService) -> None:
    message = {"message_uuid": "v1", "channel": "sms", "from": "447700900002", "to": "447700900009", "text": "STOP"}
    assert tell_vonage(served, message, "inbound").status_code == 200
    assert blocked(served, "+447700900002", "sms")
    assert tell_vonage(served, STATUS).status_code == 200

    now = served.service.clock.now()
    late = {**message, "message_uuid": "v2", "from": "447700900003"}
    assert tell_vonage(served, late, "inbound", now - timedelta(hours=23)).status_code == 200
    assert blocked(served, "+447700900003", "sms")
    stale = {**message, "message_uuid": "v3", "from": "447700900004"}
    assert tell_vonage(served, stale, "inbound", now - timedelta(hours=25)).status_code == 401
    assert not blocked(served, "+447700900004")
    assert counted(served, "vonage", "stale") >= 1


def test_telnyx_tells_events(served: RunningService) -> None:
    payload = {"id": "t1", "direction": "inbound", "from": {"phone_number": "+14155552610"}, "text": "QUIT"}
    assert tell_telnyx(served, "message.received", payload).status_code == 200
    assert blocked(served, "+14155552610", "sms")
    held_back = {
        "id": "t2",
        "to": [{"phone_number": "+14155552611", "status": "delivery_failed"}],
        "errors": [{"code": "40300"}],
    }
    assert tell_telnyx(served, "message.finalized", held_back).status_code == 200
    assert blocked(served, "+14155552611", "sms")
    late = served.service.clock.now() - timedelta(seconds=301)
    assert tell_telnyx(served, "message.received", {**payload, "id": "t3"}, late).status_code == 401


def test_a_dialler_tells_how_calls_ended(served: RunningService) -> None:
    asked = tell_dialler(served, event("+14155552612", "asked_not_to_call", "d1"))
    assert (asked.status_code, asked.json()) == (200, {"result": "blocked"})
    assert blocked(served, "+14155552612", "voice")
    again = tell_dialler(served, event("+14155552612", "asked_not_to_call", "d1"))
    assert again.json() == {"result": "known"}

    assert tell_dialler(served, event("(415) 555-2613", "busy", "d2", region="US")).json() == {"result": "evidence"}
    assert tell_dialler(served, event("+14155552614", "wrong_number", "d3")).json() == {"result": "review"}
    assert ("ambiguous", "+14155552614") in waiting(served)
    named = event("+14155552615", "wrong_number", "d4", record="hubspot:contacts:12")
    assert tell_dialler(served, named).json() == {"result": "wrong_person"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b'{"id": NaN}', "not_json"),
        (b'{"id": "1", "id": "2"}', "duplicate_key"),
        (b"[" * 50 + b"]" * 50, "too_deep"),
        (b"[" * 100_000, "too_deep"),
        (b"[]", "usage"),
        (json.dumps(event("+14155552616", "bored", "b1")).encode(), "usage"),
        (json.dumps(event("at the desk", "busy", "b2")).encode(), "usage"),
        (json.dumps(event("415 555 2616", "busy", "b3")).encode(), "usage"),
        (json.dumps(event("+14155552616", "busy", "b4", region="Atlantis")).encode(), "usage"),
        (json.dumps(event("+14155552616", "deceased", "b5", record="nobody:contacts:1")).encode(), "usage"),
        (json.dumps(event("+14155552616", "deceased", "b6", record="hubspot:contacts:x")).encode(), "usage"),
        (json.dumps(event("+14155552616", "busy", "b7") | {"occurred_at": "2126-01-01T00:00:00Z"}).encode(), "usage"),
    ],
)
def test_what_a_dialler_gets_wrong_is_said_and_may_be_sent_again(
    served: RunningService, body: bytes, code: str
) -> None:
    answer = tell_dialler(served, body)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert "5552616" not in answer.text


def test_bodies_of_vendors_that_are_none_are_said_and_no_fault(served: RunningService) -> None:
    assert tell_twilio(served, {"Nothing": "here"}).status_code == 422
    assert tell_vonage(served, []).status_code in (401, 422)
    assert tell_vonage(served, {"message_uuid": "v9", "channel": "sms"}).status_code == 422
    assert tell_telnyx(served, "message.received", "text").status_code == 422
    assert counted(served, "twilio", "unreadable") == 0
    assert stop(served, "+1", "SM20").status_code == 200
    assert counted(served, "twilio", "unreadable") == 1


@pytest.mark.parametrize("path", PATHS)
def test_nothing_unsigned_counts(served: RunningService, path: str) -> None:
    for body in (b"", b"{", b"From=%2B14155552617&Body=STOP&MessageSid=1", b"\x00" * 1000):
        answer = served.post(
            f"/signals/{path}", data=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
        assert answer.status_code == 401, answer.text
    assert counted(served, path.partition("/")[0], "missing") >= 1


@pytest.mark.parametrize("path", PATHS)
def test_without_a_key_every_path_is_closed(keyless: RunningService, path: str) -> None:
    tellers = {
        "twilio/inbound": lambda: stop(keyless, "+14155552618", "SM1", key=""),
        "twilio/status": lambda: tell_twilio(keyless, {"MessageSid": "1"}, "status", key=""),
        "vonage/inbound": lambda: tell_vonage(keyless, {}, "inbound"),
        "vonage/status": lambda: tell_vonage(keyless, STATUS),
        "telnyx": lambda: tell_telnyx(keyless, "message.received", {}),
        "generic": lambda: tell_dialler(keyless, event("+14155552618", "busy", "k1"), key=""),
    }
    answer = tellers[path]()
    assert (answer.status_code, answer.json()["code"]) == (401, "signature")


def test_no_full_number_in_what_is_logged(served: RunningService, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        stop(served, "+14155552619", "SM30", key="forged")
        stop(served, "+14155552619", "SM31")
        tell_dialler(served, event("+14155552619", "bored", "l1"))
    assert "5552619" not in caplog.text


def test_a_block_stands_whatever_is_wrong_with_the_account_that_holds_the_number(tmp_path: Path) -> None:
    half_set = {"RINGFENCE_SALESFORCE__CLIENT_ID": "half"}
    settings = {"RINGFENCE_STATE_URL": f"sqlite:///{tmp_path}/state.db", **SETTINGS, **half_set}
    with running_service(Wiring(build_settings(settings)), works=False) as running:
        store = running.service.store
        org_id = register_org(store, Org("salesforce", "00D1", "One", production=False), "")
        with store.transaction() as connection:
            held = Holding("Contact", "0035i00000AbCdEAAV", ("+14155552620",), flagged=False)
            Holdings(store.keyring, org_id).replace(connection, [held])
        assert stop(running, "+14155552620", "SM1").status_code == 200
        assert blocked(running, "+14155552620", "sms")
        assert running.service.jobs.list() == []
