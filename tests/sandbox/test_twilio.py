"""Twilio Lookup: shapes of the official examples, errors, and states that never change."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from ringfence.sandbox.clock import SandboxClock
from ringfence.sandbox.server import LoopbackServer
from ringfence.sandbox.twilio.app import twilio_app
from ringfence.sandbox.twilio.state import TwilioAccount
from ringfence.sandbox.twilio.traits import TwilioTraits

EXAMPLES = (
    Path(__file__).resolve().parents[2] / ".." / "shared" / "traffic" / "twilio" / "lookups-v2-examples-2026.json"
)
NUMBER = "+12015550123"
Lookup = Callable[..., requests.Response]


@pytest.fixture
def account() -> TwilioAccount:
    return TwilioAccount(clock=SandboxClock())


@pytest.fixture
def lookup(account: TwilioAccount) -> Iterator[Lookup]:
    server = LoopbackServer(twilio_app(account))
    server.start()
    server.await_ready()

    def ask(number: str = NUMBER, auth: Any = None, path: str = "/v2/PhoneNumbers/", **query: str) -> requests.Response:
        credentials = auth or (account.sid, account.auth_token)
        return session.get(f"{server.url}{path}{number}", params=query, auth=credentials, timeout=5)

    with requests.Session() as session:
        yield ask

    server.ask_to_stop()
    server.join()


def test_only_what_was_asked_for_is_filled(lookup: Lookup, account: TwilioAccount) -> None:
    body = lookup().json()

    assert (body["valid"], body["validation_errors"], body["line_status"], body["line_type_intelligence"]) == (
        True,
        None,
        None,
        None,
    )

    body = lookup(Fields="line_status,line_type_intelligence").json()

    assert body["line_status"].keys() == {"status", "error_code"}
    assert body["line_type_intelligence"]["type"] == "mobile"
    assert account.billed == {NUMBER: 1}


def test_a_package_that_is_not_enabled_says_so_inside_a_200_and_costs_nothing(
    lookup: Lookup, account: TwilioAccount
) -> None:
    answer = lookup(Fields="sim_swap")

    assert (answer.status_code, answer.json()["sim_swap"]["error_code"]) == (200, 60606)
    assert not account.billed


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("+1201555", "TOO_SHORT"),
        ("+120155501234", "TOO_LONG"),
        ("+19995550123", "INVALID_BUT_POSSIBLE"),
        ("+999123456", "INVALID_COUNTRY_CODE"),
        ("hello", "NOT_A_NUMBER"),
    ],
)
def test_a_number_that_cannot_exist_is_a_200_with_valid_false(
    lookup: Lookup, account: TwilioAccount, raw: str, problem: str
) -> None:
    answer = lookup(raw, Fields="line_status")
    body = answer.json()

    assert (answer.status_code, body["valid"], body["validation_errors"]) == (200, False, [problem])
    assert (body["line_status"], body["national_format"], body["country_code"]) == (None, None, None)
    assert not account.billed


def test_a_national_number_is_read_with_its_country(lookup: Lookup, account: TwilioAccount) -> None:
    body = lookup("02079460123", CountryCode="GB", Fields="line_status").json()

    assert (body["phone_number"], body["country_code"], body["calling_country_code"]) == ("+442079460123", "GB", "44")
    assert account.billed == {"+442079460123": 1}


def test_wrong_credentials(lookup: Lookup, account: TwilioAccount) -> None:
    answer = lookup(auth=(account.sid, "wrong"))

    assert (answer.status_code, answer.json()["code"]) == (401, 20003)
    assert not account.billed


@pytest.mark.parametrize(("path", "number"), [("/v1/PhoneNumbers/", NUMBER), ("/v2/PhoneNumbers/", ""), ("/", "")])
def test_another_path_is_not_found(lookup: Lookup, account: TwilioAccount, path: str, number: Any) -> None:
    answer = lookup(number, path=path)

    assert (answer.status_code, answer.json()["code"]) == (404, 20404)
    assert not account.billed


def test_an_unknown_field_is_refused(lookup: Lookup, account: TwilioAccount) -> None:
    assert lookup(Fields="horoscope").status_code == 400
    assert not account.billed


def test_too_many_requests(lookup: Lookup, account: TwilioAccount) -> None:
    account.window.limit = 2
    answers = [lookup(Fields="line_status") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].json()["code"] == 20429
    assert account.billed == {NUMBER: 2}

    account.clock.advance(1.01)

    assert lookup().status_code == 200


def test_the_date_is_that_of_the_sandbox_clock(lookup: Lookup, account: TwilioAccount) -> None:
    account.clock.advance(-86_400)
    sent = parsedate_to_datetime(lookup().headers["Date"])

    assert abs((account.clock.now() - sent).total_seconds()) < 30


def test_a_prepared_answer_wins(lookup: Lookup, account: TwilioAccount) -> None:
    account.answers[NUMBER] = {"line_status": {"status": "inactive", "error_code": None}}
    assert lookup(Fields="line_status").json()["line_status"]["status"] == "inactive"


def test_states_are_spread_and_stay(lookup: Lookup, account: TwilioAccount) -> None:
    account.window.limit = 1000
    numbers = [f"+1{area}55501{tail:02d}" for area in (201, 202, 203) for tail in range(100)]
    states = {number: lookup(number, Fields="line_status").json()["line_status"] for number in numbers}
    counts = Counter(state["status"] for state in states.values())

    assert counts.keys() == {"active", "reachable", "inactive", "unreachable", "unknown", None}
    assert (counts["active"] + counts["reachable"]) / len(numbers) == pytest.approx(0.8, abs=0.08)
    assert all((state["error_code"] == 60610) is (state["status"] is None) for state in states.values())

    again = {number: lookup(number, Fields="line_status").json()["line_status"] for number in numbers[:20]}

    assert all(states[number] == state for number, state in again.items())


@pytest.mark.skipif(not EXAMPLES.is_file(), reason="the example bodies lie beside the checkout, not in it")
@pytest.mark.parametrize(
    ("example", "raw", "fields"),
    [
        ("fetch", "+14155550196", ""),
        ("fetchInvalid", "+141555501960", ""),
        ("fetchLineStatusActive", "+442079460001", "line_status"),
        ("fetchLineTypeIntelligence", "+14155550196", "line_type_intelligence"),
        ("fetchReassignedNumberWithNumberReassigned", "+14155550196", "reassigned_number"),
        # The account does not have these: their keys are there, and nothing in them but the error.
        ("fetchCallerName", "+14155550196", "caller_name"),
        ("fetchSimSwap", "+447400123456", "sim_swap"),
        ("fetchCallForwarding", "+447400123456", "call_forwarding"),
        ("fetchIdentityMatch", "+14155550196", "identity_match"),
        ("fetchSmsPumpingRisk", "+14155550196", "sms_pumping_risk"),
        ("fetchPhoneNumberQualityScore", "+14155550196", "phone_number_quality_score"),
        ("fetchPreFill", "+14155550196", "pre_fill"),
    ],
)
def test_the_official_examples_have_the_same_shape(lookup: Lookup, example: str, raw: str, fields: str) -> None:
    theirs = json.loads(EXAMPLES.read_text(encoding="utf-8"))[example]
    mine = lookup(raw, Fields=fields).json()

    assert mine.keys() == theirs.keys()
    assert mine["url"].endswith(theirs["url"].removeprefix("https://lookups.twilio.com")) or raw not in theirs["url"]

    for name in theirs:
        if isinstance(theirs[name], dict):
            assert mine[name].keys() == theirs[name].keys()
        elif name not in {"url", "phone_number", "national_format", "calling_country_code", "country_code"}:
            assert mine[name] == theirs[name]


def test_reassignment_is_told_for_the_united_states_and_a_day_since_2021(
    lookup: Lookup, account: TwilioAccount
) -> None:
    account.traits = TwilioTraits(packages=("reassigned_number",))

    def told(number: str, day: str) -> dict[str, Any]:
        package: dict[str, Any] = lookup(number, Fields="reassigned_number", LastVerifiedDate=day).json()[
            "reassigned_number"
        ]
        return package

    answers = Counter(told(f"+1415555{n:04}", "20240301")["is_number_reassigned"] for n in range(100, 160))

    assert answers.keys() == {"yes", "no"}
    assert answers["yes"] < answers["no"]
    assert told(NUMBER, "20240301")["last_verified_date"] == "2024-03-01"
    assert told(NUMBER, "20200301")["is_number_reassigned"] == "no_data_available"
    assert told(NUMBER, "soon") == {
        "last_verified_date": None,
        "is_number_reassigned": "no_data_available",
        "error_code": None,
    }
    assert told("+442079460018", "20240301")["error_code"] == 60607


def test_reassignment_is_not_enabled_unless_the_account_says_so(lookup: Lookup, account: TwilioAccount) -> None:
    body = lookup(Fields="reassigned_number", LastVerifiedDate="20240301").json()

    assert body["reassigned_number"]["error_code"] == 60606
    assert not account.billed
