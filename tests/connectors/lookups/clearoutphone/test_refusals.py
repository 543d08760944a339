"""What ClearoutPhone refuses, what is lost on the way there, and what the end of the process leaves unasked."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest

from ringfence.core.errors import AuthenticationError, QuotaError, RingfenceError, UnreachableError
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.ports.lookup import NOT_ASKED
from testkit.provider_server import ProviderServer, Sent

from .orders import Connect, Orders, drain, good, numbers_in, order

NUMBERS = [f"+1415556{n:04}" for n in range(150)]


def refused(message: str = "No.") -> dict[str, Any]:
    return {"status": "failed", "error": {"message": message}}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, refused("Invalid API Token"), AuthenticationError),
        (402, refused("no credits"), QuotaError),
        (200, "<html>log in</html>", UnreachableError),
        (405, "not here", UnreachableError),
        (429, refused(), QuotaError),
    ],
)
def test_a_file_that_nobody_takes_buys_nothing(
    connect: Connect, server: ProviderServer, status: int, body: Any, expected: type[RingfenceError]
) -> None:
    came, error = drain(connect(lambda _: (status, body)), NUMBERS)

    assert type(error) is expected
    assert came == []
    assert len(server.sent) == (4 if status == 429 else 1)


@pytest.mark.parametrize(
    "lost",
    [
        (200, {"status": "success", "data": {"list_id": "list1"}}, "cut"),
        (524, refused("Timeout occurred")),
        (524, "<html>timeout</html>"),
        (200, {"status": "success", "data": {}}),
    ],
    ids=["cut off", "a timeout", "a gateway's timeout", "without an id"],
)
def test_a_file_whose_number_is_lost_is_not_sent_again(
    connect: Connect, server: ProviderServer, lost: tuple[Any, ...]
) -> None:
    came, error = drain(connect(lambda _: lost), NUMBERS)

    assert isinstance(error, UnreachableError)
    assert {each.kind for each in came if isinstance(each, Answer)} == {AnswerKind.LOST}
    assert len(came) == len(NUMBERS)
    assert len(server.sent) == 1


def test_a_file_that_is_refused_for_its_numbers_is_asked_one_by_one(connect: Connect, server: ProviderServer) -> None:
    bad = NUMBERS[120]

    def answering(sent: Sent) -> tuple[int, Any]:
        return (400, refused()) if bad in numbers_in(sent) else good(sent)

    came, error = drain(connect(answering), NUMBERS)

    assert error is None
    answers = {each.e164: each for each in came if isinstance(each, Answer)}
    assert sorted(answers) == NUMBERS
    assert [number for number, answer in answers.items() if answer.code.startswith("HTTP 400")] == [bad]
    assert len(server.sent) == 1 + len(NUMBERS)


@pytest.mark.parametrize(("status", "body"), [(503, refused()), (200, refused("busy"))])
def test_a_file_that_meets_an_outage_leaves_its_numbers_owed(
    connect: Connect, server: ProviderServer, status: int, body: Any
) -> None:
    came, error = drain(connect(lambda _: (status, body)), NUMBERS)

    assert error is None
    assert {each.kind for each in came if isinstance(each, Answer)} == {AnswerKind.FAILED}
    assert len(server.sent) == 1


@pytest.mark.parametrize("count", [99, 100], ids=["one by one", "as a file that is refused"])
def test_what_was_not_sent_when_the_process_is_asked_to_end_is_told(
    connect: Connect, server: ProviderServer, count: int
) -> None:
    def answering(sent: Sent) -> tuple[int, Any]:
        return (400, refused()) if "bulk" in sent.path else good(sent)

    lookup = connect(answering, patience=lambda: inf if len(server.sent) < 20 else 5.0)

    came, error = drain(lookup, NUMBERS[:count])

    assert error is None
    sent = {number for each in server.sent if "validate" in each.path for number in numbers_in(each)}
    unasked = {each.e164 for each in came if isinstance(each, Answer) and each.code == NOT_ASKED}
    assert len(came) == count
    assert unasked == set(NUMBERS[:count]) - sent
    assert len(unasked) > 50
    assert not any(each.paid for each in came if isinstance(each, Answer) and each.code == NOT_ASKED)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, refused("Invalid API Token"), AuthenticationError),
        (403, refused(), AuthenticationError),
        (402, refused(), QuotaError),
        (200, {"status": "success", "data": {"available_credits": 0}}, QuotaError),
        (200, "<html>log in</html>", UnreachableError),
        (200, {"status": "success"}, UnreachableError),
        (503, refused(), UnreachableError),
    ],
)
def test_a_check_says_what_is_wrong_and_buys_nothing(
    connect: Connect, server: ProviderServer, status: int, body: Any, expected: type[RingfenceError]
) -> None:
    with pytest.raises(expected):
        connect(lambda _: (status, body)).check()

    assert {(sent.method, sent.path) for sent in server.sent} == {("GET", "/phonenumber/getcredits")}


def test_a_check_finds_a_token_that_works(connect: Connect) -> None:
    assert connect(lambda _: (200, {"status": "success", "data": {"available_credits": 12}})).check() is None


def test_a_refusal_while_an_order_is_fetched_keeps_it(connect: Connect, server: ProviderServer) -> None:
    orders = Orders()
    lookup = connect(orders)
    ordered = order(lookup, NUMBERS)

    for status, expected in ((401, AuthenticationError), (402, QuotaError), (503, UnreachableError)):
        server.answering = lambda _, status=status: (status, refused())
        with pytest.raises(expected):
            list(lookup.collect(ordered))

    server.answering, orders.state = orders, "completed"
    assert len(list(lookup.collect(ordered))) == len(NUMBERS)
