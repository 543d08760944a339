"""Providers of many numbers a call, over real sockets: nothing twice, nothing lost, nothing that was not asked."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ringfence.apps.registry import lookup_plugins
from ringfence.core.errors import AuthenticationError, QuotaError, RingfenceError, UnreachableError
from ringfence.core.model.answers import Answer, AnswerKind, Order
from ringfence.core.ports.lookup import NOT_ASKED, Lookup, OrderingLookup
from ringfence.core.ports.services import Services
from testkit.clock import SetClock
from testkit.provider_server import Answering, ProviderServer, Sent

SETTINGS: dict[str, dict[str, str]] = {
    "infobip": {"api_key": "very-secret"},
    "melissa": {"license_key": "very-secret"},
    "bandwidth": {"account_id": "990", "username": "me", "password": "very-secret"},
    "hlr-lookups": {"api_key": "a-key", "api_secret": "very-secret"},
}
NUMBERS = [f"+1415556{n:04}" for n in range(2500)]
Connect = Callable[..., Lookup]


@pytest.fixture
def connect(server: ProviderServer, clock: SetClock) -> Iterator[Connect]:
    opened: list[Lookup] = []

    def make(name: str, answering: Answering) -> Lookup:
        server.answering = answering
        plugin = lookup_plugins()[name]
        lookup = plugin.connect(plugin.settings(**SETTINGS[name], base_url=server.url), Services(clock))
        opened.append(lookup)
        return lookup

    yield make
    for lookup in opened:
        lookup.close()


def numbers_in(sent: Sent) -> list[str]:
    """Return the numbers that a request asks about, as E.164."""
    body = sent.json
    if "Records" in body:
        return [record["PhoneNumber"] for record in body["Records"]]
    if "msisdn" in body:
        return [body["msisdn"]]
    return [f"+{str(number).lstrip('+')}" for number in body.get("to") or body.get("phoneNumbers") or []]


def good(sent: Sent, *, leave_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a good answer in the shape of the provider that the request is for."""
    numbers = [number for number in numbers_in(sent) if number not in leave_out]
    if "Records" in sent.json:
        return {"Records": [{**record, "Results": "PS01,PS17"} for record in sent.json["Records"]]}
    if "msisdn" in sent.json:
        return {"msisdn": numbers[0], "connectivity_status": "CONNECTED"}
    if "to" in sent.json:
        return {"results": [delivered(number) for number in numbers]}
    return {"data": {"status": "COMPLETE", "results": [{"phoneNumber": number} for number in numbers]}}


def delivered(number: str, name: str = "DELIVERED_TO_HANDSET", group: str = "DELIVERED") -> dict[str, Any]:
    return {"to": number.lstrip("+"), "status": {"groupName": group, "name": name}}


def drain(lookup: Lookup, numbers: list[str]) -> tuple[list[Answer], RingfenceError | None]:
    """Return the answers, and the error that ended them."""
    answers: list[Answer] = []
    try:
        for answer in lookup.look_up(numbers):
            assert isinstance(answer, Answer)
            answers.append(answer)
    except RingfenceError as error:
        return answers, error
    return answers, None


@pytest.mark.parametrize(
    ("name", "count", "calls"),
    [("infobip", 2500, 3), ("melissa", 250, 3), ("bandwidth", 100, 1), ("hlr-lookups", 3, 3)],
)
def test_each_number_is_asked_about_once_in_as_few_calls_as_there_can_be(
    connect: Connect, server: ProviderServer, name: str, count: int, calls: int
) -> None:
    lookup = connect(name, lambda sent: (200, good(sent)))
    asked = NUMBERS[:count]

    answers, error = drain(lookup, [*asked, *asked])

    assert error is None
    assert sorted(answer.e164 for answer in answers) == asked
    assert sorted(number for sent in server.sent for number in numbers_in(sent)) == asked
    assert len(server.sent) == calls


def test_a_number_that_the_answer_leaves_out_is_lost_and_a_stranger_is_ignored(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    def answering(sent: Sent) -> tuple[int, Any]:
        body = good(sent, leave_out=(NUMBERS[1], NUMBERS[2]))
        # One comes back without its country code, and one was never asked about.
        return 200, {"results": [*body["results"], delivered(NUMBERS[2][2:]), delivered("+4915123456789")]}

    with caplog.at_level(logging.WARNING):
        answers, error = drain(connect("infobip", answering), NUMBERS[:5])

    kinds = {answer.e164: answer.kind for answer in answers}
    assert error is None
    assert len(answers) == 5
    assert kinds.pop(NUMBERS[1]) is AnswerKind.LOST
    assert set(kinds.values()) == {AnswerKind.KNOWN}
    assert "about 1 numbers that it was not asked about" in caplog.text
    assert "4915123456789" not in caplog.text


@pytest.mark.parametrize("name", ["infobip", "melissa", "bandwidth"])
def test_one_number_that_is_refused_costs_the_others_nothing(
    connect: Connect, server: ProviderServer, name: str
) -> None:
    bad = NUMBERS[37]
    lookup = connect(name, lambda sent: (400, {}) if bad in numbers_in(sent) else (200, good(sent)))

    answers, error = drain(lookup, NUMBERS[:100])

    assert error is None
    assert len(answers) == 100
    assert [answer.e164 for answer in answers if answer.kind is AnswerKind.FAILED] == [bad]
    assert not next(answer for answer in answers if answer.e164 == bad).paid
    assert len(server.sent) <= 15  # two for each halving of a hundred


def test_a_request_that_is_always_refused_is_not_taken_apart_for_ever(connect: Connect, server: ProviderServer) -> None:
    answers, error = drain(connect("infobip", lambda _: (400, {})), NUMBERS)

    assert isinstance(error, UnreachableError)
    assert not any(answer.paid for answer in answers)
    assert len(server.sent) < 400  # of the 5,000 that halving to the end would take


@pytest.mark.parametrize("name", ["infobip", "melissa", "bandwidth", "hlr-lookups"])
def test_an_answer_that_is_cut_off_is_lost_and_not_asked_for_again(
    connect: Connect, server: ProviderServer, name: str
) -> None:
    lookup = connect(name, lambda sent: (200, good(sent), "cut"))
    size = 1 if name == "hlr-lookups" else 5

    answers, _ = drain(lookup, NUMBERS[:size])

    assert [answer.kind for answer in answers] == [AnswerKind.LOST] * size
    assert len(server.sent) == 1


def test_a_batch_that_is_lost_ends_the_lookups(connect: Connect, server: ProviderServer) -> None:
    answers, error = drain(connect("melissa", lambda sent: (200, good(sent), "cut")), NUMBERS)

    assert isinstance(error, UnreachableError)
    assert len(answers) == 100
    assert len(server.sent) == 1


def test_credit_that_ends_within_a_batch_loses_no_answer(connect: Connect) -> None:
    def answering(sent: Sent) -> tuple[int, Any]:
        first, *rest = numbers_in(sent)
        empty = [delivered(number, "REJECTED_NOT_ENOUGH_CREDITS", "REJECTED") for number in rest]
        return 200, {"results": [delivered(first), *empty]}

    answers, error = drain(connect("infobip", answering), NUMBERS)

    assert isinstance(error, QuotaError)
    assert answers
    assert {answer.kind for answer in answers if answer.code != NOT_ASKED} == {AnswerKind.KNOWN}


@pytest.mark.parametrize(
    ("name", "status", "body", "expected"),
    [
        ("infobip", 401, {}, AuthenticationError),
        ("infobip", 402, {}, QuotaError),
        ("bandwidth", 401, {}, AuthenticationError),
        ("hlr-lookups", 401, {}, AuthenticationError),
        ("hlr-lookups", 402, {}, QuotaError),
        *(("melissa", 200, {"TransmissionResults": code}, AuthenticationError) for code in ("GE04", "GE05", "GE06")),
        ("melissa", 200, {"TransmissionResults": "GE14"}, QuotaError),
    ],
)
def test_credentials_and_credit_are_told_apart(
    connect: Connect, server: ProviderServer, name: str, status: int, body: Any, expected: type[RingfenceError]
) -> None:
    answers, error = drain(connect(name, lambda _: (status, body)), NUMBERS[:3])

    assert type(error) is expected
    assert answers == []
    assert "very-secret" not in f"{error} {error.remedy}"
    assert len(server.sent) == 1


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [("infobip", 403, {}), ("bandwidth", 403, {}), ("melissa", 200, {"TransmissionResults": "GE08"})],
)
def test_what_the_account_may_not_ask_is_warned_of_once_and_unpaid(
    connect: Connect, caplog: pytest.LogCaptureFixture, name: str, status: int, body: Any
) -> None:
    lookup = connect(name, lambda _: (status, body))

    with caplog.at_level(logging.WARNING):
        answers = [*drain(lookup, NUMBERS[:3])[0], *drain(lookup, NUMBERS[3:6])[0]]

    assert {(answer.outcome, answer.paid) for answer in answers} == {("not_permitted", False)}
    assert caplog.text.count("not entitled") == 1


@pytest.mark.parametrize("name", ["infobip", "melissa", "bandwidth", "hlr-lookups"])
def test_a_rate_that_is_too_high_slows_down_and_loses_nothing(
    connect: Connect, server: ProviderServer, name: str, clock: SetClock
) -> None:
    begun = clock.now()
    lookup = connect(name, lambda sent: (200, good(sent)) if len(server.sent) > 1 else (429, {}, {"Retry-After": "7"}))

    answers, error = drain(lookup, NUMBERS[:1])

    assert error is None
    assert len(answers) == 1
    assert len(server.sent) == 2
    assert (clock.now() - begun).total_seconds() >= 7


@pytest.mark.parametrize("name", ["infobip", "melissa", "bandwidth", "hlr-lookups"])
def test_a_page_in_the_providers_place_buys_nothing(connect: Connect, server: ProviderServer, name: str) -> None:
    answers, error = drain(connect(name, lambda _: (200, "<html>log in</html>")), NUMBERS[:3])

    assert isinstance(error, UnreachableError)
    assert answers == []
    assert len(server.sent) == 1


@pytest.mark.parametrize("name", ["infobip", "melissa", "bandwidth", "hlr-lookups"])
def test_no_key_and_no_number_is_logged_or_stands_in_an_address(
    connect: Connect, server: ProviderServer, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    with caplog.at_level(logging.DEBUG):
        drain(connect(name, lambda sent: (200, good(sent))), NUMBERS[:2])
        drain(connect(name, lambda _: (500, {"error": "no"})), NUMBERS[:2])

    told = caplog.text + " ".join(sent.path for sent in server.sent)
    assert "very-secret" not in told
    assert NUMBERS[0].lstrip("+") not in told


def test_hlr_lookups_is_sent_a_digest_and_not_the_secret(connect: Connect, server: ProviderServer) -> None:
    drain(connect("hlr-lookups", lambda sent: (200, good(sent))), NUMBERS[:1])

    (sent,) = server.sent
    assert sent.path == "/api/v2/hlr-lookup"
    assert sent.headers["X-Basic"] == hashlib.sha256(b"a-key:very-secret").hexdigest()
    assert "very-secret" not in str(sent.headers)


CHECKS = {"infobip": "/account/1/balance", "hlr-lookups": "/api/v2/auth-test", "bandwidth": "/v2/accounts/990/"}


@pytest.mark.parametrize("name", CHECKS)
def test_credentials_are_checked_for_nothing(connect: Connect, server: ProviderServer, name: str) -> None:
    works = 404 if name == "bandwidth" else 200

    assert connect(name, lambda _: (works, {"errors": []})).check() is None
    assert {sent.method for sent in server.sent} == {"GET"}
    assert server.sent[0].path.startswith(CHECKS[name])

    with pytest.raises(AuthenticationError):
        connect(name, lambda _: (401, {})).check()
    with pytest.raises(UnreachableError):
        connect(name, lambda _: (200, "<html>log in</html>")).check()


def test_melissa_says_that_nothing_is_free(connect: Connect, server: ProviderServer) -> None:
    assert "free" in (connect("melissa", lambda _: (200, {})).check() or "")
    assert server.sent == []


class Orders:
    """Bandwidth's orders, as it keeps them; ``state`` is what becomes of the next answer."""

    def __init__(self) -> None:
        self.numbers: dict[str, list[str]] = {}
        self.state = "IN_PROGRESS"
        self.errors: list[dict[str, Any]] = []

    def __call__(self, sent: Sent) -> tuple[int, Any]:
        if sent.method == "POST":
            reference = f"order-{len(self.numbers) + 1}"
            self.numbers[reference] = sent.json["phoneNumbers"]
            return 202, {"data": {"requestId": reference, "status": "IN_PROGRESS"}}
        reference = sent.path.rpartition("/")[2]
        if reference not in self.numbers:
            return 404, {"errors": [{"code": 404}]}
        told = {number for error in self.errors for number in error["meta"]["phoneNumbers"]}
        missing = told if self.state != "FAILED" else set(self.numbers[reference])
        results = [
            {"phoneNumber": number, "latestMessageDeliveryStatus": "ACTIVE"}
            for number in self.numbers[reference]
            if number not in missing
        ]
        answered = results if self.state != "IN_PROGRESS" else []
        return 200, {"data": {"status": self.state, "results": answered}, "errors": self.errors}


def ordered(lookup: Lookup, numbers: list[str]) -> list[Order]:
    return [answer for answer in lookup.look_up(numbers) if isinstance(answer, Order)]


def collect(lookup: Lookup, order: Order) -> list[Answer]:
    assert isinstance(lookup, OrderingLookup)
    return list(lookup.collect(order))


def test_an_order_is_fetched_by_another_process_and_paid_once(connect: Connect, server: ProviderServer) -> None:
    orders = Orders()
    (order,) = ordered(connect("bandwidth", orders), [*NUMBERS, *NUMBERS[:500]])
    after_a_kill = connect("bandwidth", orders)

    assert order.numbers == tuple(NUMBERS)
    assert collect(after_a_kill, order) == []

    orders.state = "COMPLETE"
    answers = collect(after_a_kill, order)

    assert [answer.e164 for answer in answers] == NUMBERS
    assert {answer.line for answer in answers} == {"active"}
    assert [sent.method for sent in server.sent] == ["POST", "GET", "GET"]


def test_fifteen_thousand_numbers_are_one_order_and_few_more_are_asked_at_once(
    connect: Connect, server: ProviderServer
) -> None:
    orders, many = Orders(), [f"+1415{n:07}" for n in range(2_000_000, 2_015_010)]

    def answering(sent: Sent) -> tuple[int, Any]:
        return orders(sent) if "/bulk" in sent.path else (200, good(sent))

    told = list(connect("bandwidth", answering).look_up(many))

    assert [len(order.numbers) for order in told if isinstance(order, Order)] == [15_000]
    assert [answer.e164 for answer in told if isinstance(answer, Answer)] == many[15_000:]
    assert len(server.sent) == 2


def test_an_order_that_is_done_in_part_tells_what_became_of_each_number(connect: Connect) -> None:
    orders = Orders()
    lookup = connect("bandwidth", orders)
    (order,) = ordered(lookup, NUMBERS[:101])
    orders.state = "PARTIAL_COMPLETE"
    orders.errors = [{"code": 1001, "type": "NO-MATCH", "meta": {"phoneNumbers": NUMBERS[:2]}}]

    answers = collect(lookup, order)

    assert [answer.validity for answer in answers[:2]] == ["invalid", "invalid"]
    assert {answer.line for answer in answers[2:]} == {"active"}
    assert len(answers) == 101


@pytest.mark.parametrize("fate", ["FAILED", "unknown there"])
def test_numbers_that_an_order_will_never_tell_are_lost(connect: Connect, fate: str) -> None:
    orders = Orders()
    lookup = connect("bandwidth", orders)
    (order,) = ordered(lookup, NUMBERS[:101])
    orders.state = fate
    if fate != "FAILED":
        orders.numbers.clear()

    answers = collect(lookup, order)

    assert [answer.e164 for answer in answers] == NUMBERS[:101]
    assert {answer.kind for answer in answers} == {AnswerKind.LOST}


def test_an_order_whose_answer_is_lost_is_not_sent_again(connect: Connect, server: ProviderServer) -> None:
    answers, error = drain(connect("bandwidth", lambda sent: (*Orders()(sent), "cut")), [*NUMBERS, *NUMBERS])

    assert isinstance(error, UnreachableError)
    assert [answer.kind for answer in answers] == [AnswerKind.LOST] * len(NUMBERS)
    assert len(server.sent) == 1


def test_fetching_is_free_and_so_it_is_repeated(connect: Connect, server: ProviderServer) -> None:
    orders = Orders()
    lookup = connect("bandwidth", orders)
    (order,) = ordered(lookup, NUMBERS[:101])
    orders.state = "COMPLETE"
    server.answering = lambda sent: (*orders(sent), "cut") if len(server.sent) < 4 else orders(sent)

    assert len(collect(lookup, order)) == 101

    server.answering = lambda _: (500, {"errors": []})
    with pytest.raises(UnreachableError, match="order"):
        collect(lookup, order)


def test_an_order_with_a_number_that_is_refused_is_asked_in_smaller_numbers(
    connect: Connect, server: ProviderServer
) -> None:
    bad = NUMBERS[120]

    def answering(sent: Sent) -> tuple[int, Any]:
        return (400, {"errors": []}) if bad in numbers_in(sent) else (200, good(sent))

    answers, error = drain(connect("bandwidth", answering), NUMBERS[:150])

    assert error is None
    assert sorted(answer.e164 for answer in answers) == NUMBERS[:150]
    assert [answer.e164 for answer in answers if answer.code == "HTTP 400"] == [bad]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [(401, {}, AuthenticationError), (402, {}, QuotaError), (200, "<html>", UnreachableError)],
)
def test_an_order_that_nobody_takes_buys_nothing(
    connect: Connect, server: ProviderServer, status: int, body: Any, expected: type[RingfenceError]
) -> None:
    answers, error = drain(connect("bandwidth", lambda _: (status, body)), NUMBERS)

    assert type(error) is expected
    assert answers == []
    assert len(server.sent) == 1


def test_every_request_is_json(connect: Connect, server: ProviderServer) -> None:
    drain(connect("melissa", lambda sent: (200, good(sent))), NUMBERS[:1])

    (sent,) = server.sent
    assert json.loads(sent.body)["Options"] == "VerifyPhone:Express"
    assert "?" not in sent.path
