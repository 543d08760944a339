"""What no healthy provider answers to an order, or says of one: it is sent once, and kept until its answers come."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from ringfence.core.errors import UnreachableError
from ringfence.core.model.answers import AnswerKind, Order
from ringfence.core.ports.lookup import OrderingLookup
from testkit.provider_server import Endless, ProviderServer

from .bad_bodies import BODIES, HUNDRED_MB, NUMBERS, ORDERING, TABLES, Case, assert_told_well, drain


@pytest.fixture(params=ORDERING)
def ordering(request: pytest.FixtureRequest, server: ProviderServer) -> Case:
    """Give each provider that takes orders over HTTP."""
    return Case(request.param, server, TABLES[request.param]["settings"])


@pytest.mark.parametrize("body", [*BODIES.values(), "100 MB"], ids=[*BODIES.keys(), "100 MB"])
def test_an_order_that_is_answered_badly_is_sent_once(
    ordering: Case, caplog: pytest.LogCaptureFixture, body: Any
) -> None:
    lookup = ordering.connect()
    ordering.server.answering = lambda _: (200, Endless(HUNDRED_MB) if body == "100 MB" else body)

    with caplog.at_level(logging.DEBUG):
        answers, error = drain(lambda: lookup.look_up(NUMBERS))
    lookup.close()

    assert isinstance(error, UnreachableError)
    assert {answer.kind for answer in answers} <= {AnswerKind.LOST}
    assert len(ordering.server.sent) == 1
    assert_told_well(answers, error, caplog.text)


@pytest.mark.parametrize("wrong", [["x"], {"x": 1}, True, None, ""], ids=str)
def test_an_order_without_a_name_is_none(ordering: Case, wrong: Any) -> None:
    lookup = ordering.connect()
    body = {"data": {"requestId": wrong, "list_id": wrong, "status": "IN_PROGRESS"}, "status": "success"}
    ordering.server.answering = lambda _: (200, body)

    answers, error = drain(lambda: lookup.look_up(NUMBERS))
    lookup.close()

    assert isinstance(error, UnreachableError)
    assert {answer.kind for answer in answers} == {AnswerKind.LOST}
    assert len(ordering.server.sent) == 1


@pytest.mark.parametrize("body", [*BODIES.values(), "100 MB"], ids=[*BODIES.keys(), "100 MB"])
def test_an_order_whose_answers_come_badly_is_kept(ordering: Case, caplog: pytest.LogCaptureFixture, body: Any) -> None:
    lookup = ordering.connect()
    ordering.server.answering = lambda _: (200, Endless(HUNDRED_MB) if body == "100 MB" else body)
    assert isinstance(lookup, OrderingLookup)

    with caplog.at_level(logging.DEBUG):
        answers, error = drain(lambda: lookup.collect(Order("order-1", tuple(NUMBERS))))
    lookup.close()

    assert answers == []
    assert error is None or isinstance(error, UnreachableError)
    assert_told_well(answers, error, caplog.text)
    assert {sent.method for sent in ordering.server.sent} == {"GET"}


def test_an_order_that_is_done_with_a_number_for_its_answers_is_kept(server: ProviderServer) -> None:
    case = Case("bandwidth", server, TABLES["bandwidth"]["settings"])
    lookup = case.connect()
    assert isinstance(lookup, OrderingLookup)
    server.answering = lambda _: (200, {"data": {"status": "COMPLETE", "results": 7}})

    answers, error = drain(lambda: lookup.collect(Order("order-1", tuple(NUMBERS))))
    lookup.close()

    assert answers == []
    assert isinstance(error, UnreachableError)
