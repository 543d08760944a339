"""Twilio Lookup through real sockets: its answers, its failures, and what it never tells."""

from __future__ import annotations

import json
import logging
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import wait
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from ringfence.connectors.lookups import pool, twilio_dialect
from ringfence.connectors.lookups.twilio import plugin
from ringfence.connectors.lookups.twilio_settings import TwilioSettings
from ringfence.core.errors import AuthenticationError, QuotaError, SettingsError, UnreachableError
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.ports.lookup import Lookup
from ringfence.core.ports.services import Services
from ringfence.sandbox.server import Sandbox
from testkit.clock import SetClock

from ..conftest import Script

CASES = json.loads((Path(__file__).parent / "answers" / "twilio.json").read_text())["cases"]
NUMBER = "+14155550123"
NUMBERS = [f"+1415555{n:04d}" for n in range(400)]
ACTIVE = {"valid": True, "line_status": {"status": "active"}}


def connect(url: str, clock: SetClock, token: str = "secret-token") -> Lookup:
    return plugin.connect(TwilioSettings(account_sid="AC7", auth_token=token, base_url=url), Services(clock))


@pytest.fixture
def lookup(script: Script, clock: SetClock) -> Iterator[Lookup]:
    made = connect(script.url, clock)
    yield made
    made.close()


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_each_answer_is_read_for_what_it_says(
    lookup: Lookup, script: Script, clock: SetClock, case: dict[str, Any]
) -> None:
    script.says(case.get("status", 200), case["body"], **case.get("headers", {}))
    (answer,) = lookup.look_up([NUMBER])
    usual = {"validity": "unknown", "line": None, "line_type": None, "paid": True}
    expected = usual | case["answer"]
    expected["unrecognised"] = tuple(map(tuple, case["answer"].get("unrecognised", ())))

    assert {name: getattr(answer, name) for name in expected} == expected
    assert len(script.seen) == case.get("tries", 1)
    assert script.seen[0][1] == "/v2/PhoneNumbers/%2B14155550123?Fields=line_status%2Cline_type_intelligence"


def test_the_time_of_the_evidence_is_in_whole_seconds(lookup: Lookup, script: Script, clock: SetClock) -> None:
    clock.time = datetime(2026, 11, 2, 9, 0, 0, 750_000, UTC)
    script.says(200, {"valid": False, "validation_errors": None})

    (answer,) = lookup.look_up([NUMBER])

    assert answer.observed_at == datetime(2026, 11, 2, 9, tzinfo=UTC)


def test_a_passing_refusal_is_waited_out(lookup: Lookup, script: Script, clock: SetClock) -> None:
    script.says(429, {"code": 20429}, Retry_After="7")
    script.says(200, {"valid": True, "line_status": {"status": "active"}})
    before = clock.monotonic()

    (answer,) = lookup.look_up([NUMBER])

    assert answer.line == "active"
    assert clock.monotonic() - before >= 7


@pytest.mark.parametrize("body", ['{"valid": true, "line_st', "<html>"])
def test_an_answer_that_was_cut_off_may_have_been_paid_and_is_not_bought_again(
    lookup: Lookup, script: Script, body: str
) -> None:
    script.says(200, body, Content_Length="900")

    (answer,) = lookup.look_up([NUMBER])

    assert (answer.kind, answer.paid) == (AnswerKind.LOST, True)
    assert len(script.seen) == 1


def test_an_answer_that_comes_too_late_is_not_bought_again(clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twilio_dialect, "TIMEOUT_S", (1.0, 0.1))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(0.2)
        lookup = connect(f"http://127.0.0.1:{silent.getsockname()[1]}", clock)
        (answer,) = lookup.look_up([NUMBER])
        lookup.close()
        silent.accept()[0].close()

        with pytest.raises(TimeoutError):
            silent.accept()

    assert (answer.kind, answer.paid) == (AnswerKind.LOST, True)


@pytest.mark.parametrize(("status", "code"), [(401, 20003), (403, 20008)])
def test_refused_credentials_stop_everything_and_are_not_shown(
    lookup: Lookup, script: Script, status: int, code: int
) -> None:
    script.says(status, {"code": code, "message": "Authenticate"})

    with pytest.raises(AuthenticationError, match="RINGFENCE_TWILIO__ACCOUNT_SID") as caught:
        list(lookup.look_up([f"+1415555{n:04d}" for n in range(100)]))

    assert len(script.seen) <= 16
    assert "secret-token" not in str(caught.value)


def test_paid_answers_are_given_before_the_refusal_is_raised(lookup: Lookup, script: Script) -> None:
    for _ in range(5):
        script.says(200, {"valid": True, "line_status": {"status": "active"}})

    script.says(401, {"code": 20003})

    answers = lookup.look_up([f"+1415555{n:04d}" for n in range(40)])

    assert [next(answers).line for _ in range(5)] == ["active"] * 5

    with pytest.raises(AuthenticationError):
        next(answers)


def test_paid_answers_are_given_before_ctrl_c_ends_the_asking(clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [f"+1415555{n:04}" for n in range(100, 140)]
    interrupts = [KeyboardInterrupt()]

    def interrupted(*given: Any, **options: Any) -> Any:
        if interrupts:
            raise interrupts.pop()
        return wait(*given, **options)

    monkeypatch.setattr(pool, "wait", interrupted)
    answers: list[Answer] = []

    with Sandbox(contacts=1) as sandbox:
        settings = TwilioSettings(
            account_sid=sandbox.twilio.sid, auth_token=sandbox.twilio.auth_token, base_url=sandbox.twilio_url
        )
        lookup = plugin.connect(settings, Services(clock))

        with pytest.raises(KeyboardInterrupt):
            answers.extend(lookup.look_up(numbers))

        lookup.close()

        assert sandbox.twilio.billed.total() == len(answers) == 1


@pytest.fixture
def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def test_a_host_that_does_not_listen_is_named(clock: SetClock, closed_port: int) -> None:
    lookup = connect(f"http://127.0.0.1:{closed_port}", clock)

    with pytest.raises(UnreachableError, match=rf"127\.0\.0\.1:{closed_port}") as caught:
        list(lookup.look_up([NUMBER]))

    lookup.close()

    assert "4155550123" not in repr(caught.getrepr(chain=True))


@pytest.mark.parametrize(
    ("status", "body", "error", "kind", "requests"),
    [
        (429, {"code": 20429}, QuotaError, AnswerKind.FAILED, 4),
        (503, {}, UnreachableError, AnswerKind.FAILED, 1),
        (502, "<html>", UnreachableError, AnswerKind.LOST, 1),
    ],
)
def test_an_outage_from_the_beginning_costs_few_requests(
    lookup: Lookup, script: Script, status: int, body: Any, error: type[Exception], kind: AnswerKind, requests: int
) -> None:
    script.says(status, body)

    answers = lookup.look_up(NUMBERS)

    assert [next(answers).kind for _ in range(3)] == [kind] * 3
    with pytest.raises(error, match="3 numbers in a row"):
        list(answers)
    assert len(script.seen) == 3 * requests


@pytest.mark.parametrize(
    ("status", "body", "error", "failed"),
    [(429, {"code": 20429}, QuotaError, 8), (503, {}, UnreachableError, 24), (504, {}, UnreachableError, 8)],
)
def test_an_outage_leaves_the_rest_for_another_time(
    lookup: Lookup, script: Script, status: int, body: Any, error: type[Exception], failed: int
) -> None:
    script.says(200, ACTIVE)
    script.says(status, body)

    answers = list(islice(lookup.look_up([NUMBER]), 1))
    remaining = lookup.look_up(NUMBERS)
    answers += islice(remaining, failed)

    with pytest.raises(error, match=f"{failed} numbers in a row"):
        list(remaining)
    assert [answer.kind for answer in answers[1:]] == [AnswerKind.LOST if status == 504 else AnswerKind.FAILED] * failed
    assert len(script.seen) <= 1 + 40 * 4


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "<html>Please log in</html>"),
        (200, {"phone_number": "x"}),
        (302, ""),
        (403, "<html>blocked</html>"),
        (404, "<html>nothing here</html>"),
        (404, {"detail": "Not Found"}),
        (407, "proxy"),
    ],
)
def test_somebody_else_in_the_place_of_twilio_costs_one_request_and_no_number(
    lookup: Lookup, script: Script, status: int, body: Any
) -> None:
    script.says(status, body)

    with pytest.raises(UnreachableError, match="not as Twilio Lookup v2 does") as caught:
        list(lookup.look_up(NUMBERS))

    assert "RINGFENCE_TWILIO__BASE_URL" in caught.value.remedy
    assert len(script.seen) == 1


def test_a_web_page_in_the_middle_is_a_failure_of_one_number(lookup: Lookup, script: Script) -> None:
    script.says(200, ACTIVE)
    script.says(200, "<html>Please log in</html>")
    script.says(200, ACTIVE)

    answers = [answer.kind for number in NUMBERS[:3] for answer in lookup.look_up([number])]

    assert answers == [AnswerKind.KNOWN, AnswerKind.FAILED, AnswerKind.KNOWN]


def test_an_address_at_twilio_that_knows_no_number_is_named(lookup: Lookup, script: Script) -> None:
    script.says(404, {"code": 20404, "status": 404})
    answers: list[Answer] = []

    with pytest.raises(UnreachableError, match="20404") as caught:
        answers.extend(lookup.look_up(NUMBERS))

    assert [(answer.kind, answer.paid) for answer in answers] == [(AnswerKind.FAILED, False)] * 3
    assert "RINGFENCE_TWILIO__BASE_URL" in caught.value.remedy


def test_a_number_that_twilio_does_not_find_is_inconclusive(lookup: Lookup, script: Script) -> None:
    script.says(200, ACTIVE)
    script.says(404, {"code": 20404, "status": 404})

    _, answer = lookup.look_up(NUMBERS[:2])

    assert (answer.kind, answer.code, answer.paid) == (AnswerKind.INCONCLUSIVE, "20404", False)


def test_a_used_up_quota_ends_the_asking_and_books_nothing(lookup: Lookup, script: Script) -> None:
    script.says(200, {"valid": True, "line_status": {"status": None, "error_code": 60611}})

    with pytest.raises(QuotaError, match="60611"):
        list(lookup.look_up(NUMBERS))

    assert len(script.seen) == 1


def test_a_package_that_is_not_enabled_is_told_once(
    lookup: Lookup, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    script.says(200, {"valid": True, "line_status": {"status": None, "error_code": 60606}})

    with caplog.at_level(logging.WARNING, "ringfence"):
        answers = list(lookup.look_up(NUMBERS[:20]))

    assert {answer.kind for answer in answers} == {AnswerKind.INCONCLUSIVE}
    (told,) = caplog.records
    assert "60606" in told.getMessage()
    assert "Line Status" in told.getMessage()


@pytest.mark.parametrize(
    ("line_type", "billed"), [({"type": "mobile"}, True), ({"error_code": 60606}, False), (None, False)]
)
def test_without_line_status_only_a_line_type_that_came_is_paid(
    lookup: Lookup, script: Script, caplog: pytest.LogCaptureFixture, line_type: Any, billed: bool
) -> None:
    body = {"valid": True, "line_status": {"status": None, "error_code": 60606}, "line_type_intelligence": line_type}
    script.says(200, body)

    with caplog.at_level(logging.WARNING, "ringfence"):
        (answer,) = lookup.look_up([NUMBER])

    assert answer.paid is billed
    assert ("billed for the line type" in caplog.text) is billed


def test_a_pause_of_an_hour_ends_the_asking_and_is_not_cut_short(
    lookup: Lookup, script: Script, clock: SetClock
) -> None:
    script.says(429, {"code": 20429}, Retry_After="3600")
    before = clock.monotonic()

    with pytest.raises(QuotaError, match="3600 seconds"):
        list(lookup.look_up(NUMBERS))

    assert (len(script.seen), clock.monotonic()) == (1, before)


def test_an_empty_answer_of_a_provider_that_is_known_is_lost(lookup: Lookup, script: Script) -> None:
    script.says(200, ACTIVE)
    script.says(200, "")

    answers = list(lookup.look_up(NUMBERS[:3]))

    assert [answer.kind for answer in answers] == [AnswerKind.KNOWN, AnswerKind.LOST, AnswerKind.LOST]


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:{closed}", "http://proxy.invalid:3128"])
def test_a_proxy_that_is_down_loses_no_answer(
    clock: SetClock, monkeypatch: pytest.MonkeyPatch, closed_port: int, proxy: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.format(closed=closed_port))
    monkeypatch.setenv("https_proxy", proxy.format(closed=closed_port))
    lookup = connect("https://lookups.invalid", clock)

    with pytest.raises(UnreachableError, match=r"lookups\.invalid"):
        list(lookup.look_up(NUMBERS))
    lookup.close()


def test_a_name_that_nobody_knows_loses_no_answer(clock: SetClock) -> None:
    lookup = connect("https://lookups.invalid", clock)

    with pytest.raises(UnreachableError, match=r"lookups\.invalid"):
        list(lookup.look_up(NUMBERS))
    lookup.close()


def test_a_server_without_tls_loses_no_answer(clock: SetClock, script: Script) -> None:
    script.says(200, ACTIVE)
    lookup = connect(script.url.replace("http://", "https://"), clock)

    with pytest.raises(UnreachableError, match="cannot be reached"):
        list(lookup.look_up(NUMBERS))
    lookup.close()
    assert script.seen == []


def test_a_host_that_goes_away_ends_the_run(lookup: Lookup, script: Script) -> None:
    script.says(200, {"valid": True, "line_status": {"status": "active"}}, Connection="close")

    assert [answer.line for answer in lookup.look_up([NUMBER])] == ["active"]

    script.stop()

    with pytest.raises(UnreachableError, match="cannot be reached"):
        list(lookup.look_up([NUMBER]))


def test_no_log_line_shows_a_number(lookup: Lookup, script: Script, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    script.says(200, {"valid": True, "line_status": {"status": "active"}})
    list(lookup.look_up([NUMBER]))

    assert "4155550123" not in caplog.text


def test_each_number_is_asked_once_and_every_one_is_answered(clock: SetClock) -> None:
    numbers = [f"+1415555{n:04d}" for n in range(100, 160)]
    with Sandbox(contacts=1) as sandbox:
        settings = TwilioSettings(
            account_sid=sandbox.twilio.sid, auth_token=sandbox.twilio.auth_token, base_url=sandbox.twilio_url
        )
        sandbox.twilio.answers[numbers[0]] = {"line_status": {"status": "inactive", "error_code": None}}
        lookup = plugin.connect(settings, Services(clock))
        answers = {answer.e164: answer for answer in lookup.look_up(numbers + numbers)}
        lookup.close()

        assert sandbox.twilio.billed == Counter(numbers)
        assert lookup.realm == f"twilio:{sandbox.twilio_url.removeprefix('http://')}:{sandbox.twilio.sid}"

    assert sorted(answers) == numbers
    assert answers[numbers[0]].line == "disconnected"


@pytest.mark.parametrize("url", ["http://lookups.twilio.com", "lookups.twilio.com", "http://127.0.0.1@example.com"])
def test_clear_text_to_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="RINGFENCE_TWILIO__BASE_URL"):
        TwilioSettings(base_url=url)


def test_half_of_the_credentials_is_not_enough(clock: SetClock) -> None:
    for half in (TwilioSettings(), TwilioSettings(account_sid="AC7"), TwilioSettings(auth_token="x")):
        assert not plugin.configured(half)
        with pytest.raises(SettingsError, match="RINGFENCE_TWILIO__ACCOUNT_SID"):
            plugin.connect(half, Services(clock))

    assert "secret-token" not in repr(TwilioSettings(account_sid="AC7", auth_token="secret-token"))
