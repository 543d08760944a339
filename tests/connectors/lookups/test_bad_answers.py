"""What no healthy provider sends, to every registered one: nothing is made of it, bought twice, lost or given away.

Whoever registers with an address of its own is asked here; a good answer is the first row of its table in
``tests/cases/lookups``.
"""

from __future__ import annotations

import gzip
import json
import logging
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from ringfence.apps.registry import lookup_plugins
from ringfence.core.errors import UnreachableError
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.axes import Outcome, Ported
from ringfence.core.numbers import Validity
from ringfence.core.ports.lookup import OrderingLookup
from testkit.keys import write_private_key
from testkit.provider_server import Endless, ProviderServer

from .bad_bodies import (
    ANOTHER,
    BODIES,
    HUNDRED_MB,
    NUMBER,
    NUMBERS,
    ORDERING,
    SECRET,
    TABLES,
    WITH_ADDRESS,
    Case,
    assert_told_well,
    drain,
    mutations,
)


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_private_key(tmp_path_factory.mktemp("keys"))


@pytest.fixture(params=[*WITH_ADDRESS, "own"])
def case(request: pytest.FixtureRequest, server: ProviderServer, key_file: Path) -> Case:
    """Give each registered provider with an address, and one that a user has declared."""
    settings = {"key": SECRET} if request.param == "own" else TABLES[request.param]["settings"]
    filled = {name: str(key_file) if value == "{private_key}" else value for name, value in settings.items()}
    return Case(request.param, server, filled)


def test_every_provider_without_an_address_is_one_of_files() -> None:
    assert set(lookup_plugins()) - set(WITH_ADDRESS) == {"itg"}


def test_every_provider_that_takes_orders_over_http_is_asked_for_one_here(case: Case) -> None:
    lookup = case.connect()
    lookup.close()

    assert isinstance(lookup, OrderingLookup) == (case.name in ORDERING)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("proven", [False, True], ids=["at first", "in the middle of a run"])
def test_a_body_that_is_no_answer_tells_nothing(
    case: Case, caplog: pytest.LogCaptureFixture, proven: bool, body: Any
) -> None:
    lookup = case.connect()
    if proven:
        case.server.answering = lambda _: (200, case.good(ANOTHER))
        (first,) = lookup.look_up([ANOTHER])
        assert isinstance(first, Answer)
        assert first.kind in (AnswerKind.KNOWN, AnswerKind.INCONCLUSIVE)
    case.server.sent.clear()
    case.server.answering = lambda _: (200, body)

    with caplog.at_level(logging.DEBUG):
        answers, error = drain(lambda: lookup.look_up([NUMBER]))
    lookup.close()

    assert len(case.server.sent) == 1
    assert_told_well(answers, error, caplog.text)
    assert answers or isinstance(error, UnreachableError)
    for answer in answers:
        assert answer.e164 == NUMBER
        assert answer.outcome in (Outcome.PROVIDER_ERROR, Outcome.TIMEOUT)
        assert (answer.validity, answer.line, answer.line_type) == (Validity.UNKNOWN, None, None)
        # Whoever answered 200 may have billed it: it is lost, or counts against the budget.
        assert answer.kind is AnswerKind.LOST or (answer.kind is AnswerKind.FAILED and answer.paid)


def test_an_answer_of_a_hundred_megabytes_is_cut_off_early(case: Case) -> None:
    lookup = case.connect()
    body = Endless(HUNDRED_MB)
    case.server.answering = lambda _: (200, body)

    tracemalloc.start()
    answers, error = drain(lambda: lookup.look_up([NUMBER]))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    lookup.close()

    (answer,) = answers
    assert error is None
    assert answer.kind is AnswerKind.LOST
    assert answer.outcome is Outcome.PROVIDER_ERROR
    assert "longer than" in answer.code
    assert most < 8 * 1024 * 1024
    assert body.sent < HUNDRED_MB / 4
    assert len(case.server.sent) == 1


def test_an_answer_that_is_a_hundred_megabytes_once_unpacked_is_cut_off_early(server: ProviderServer) -> None:
    lookup = Case("numverify", server, TABLES["numverify"]["settings"]).connect()
    packed = gzip.compress(b'{"data": "' + b"x" * HUNDRED_MB)
    server.answering = lambda _: (200, packed, {"Content-Encoding": "gzip"})

    tracemalloc.start()
    answers, _ = drain(lambda: lookup.look_up([NUMBER]))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    lookup.close()

    assert [answer.kind for answer in answers] == [AnswerKind.LOST]
    assert "longer than" in answers[0].code
    assert most < 8 * 1024 * 1024


def test_a_value_of_another_kind_is_nothing(case: Case) -> None:
    lookup = case.connect()
    case.server.answering = lambda _: (200, case.good(NUMBER))
    (good,) = lookup.look_up([NUMBER])
    assert isinstance(good, Answer)

    changed = 0
    for place, body in mutations(case.good(NUMBER)):
        case.server.sent.clear()
        case.server.answering = lambda _, body=body: (200, body)
        answers, error = drain(lambda: lookup.look_up([NUMBER]))

        assert len(case.server.sent) == 1, place
        assert [answer.e164 for answer in answers] == [NUMBER] or isinstance(error, UnreachableError), place
        for answer in answers:
            assert answer.validity in (good.validity, Validity.UNKNOWN), place
            assert answer.line in (good.line, None), place
            assert answer.line_type in (good.line_type, None), place
            assert answer.ported in (good.ported, Ported.UNKNOWN, Ported.ASSUMED_YES), place
            assert not answer.carrier or not set("[{").intersection("".join(answer.carrier)), place
            json.dumps(answer.code).encode()
            str(answer.carrier).encode()
        changed += 1
    lookup.close()

    assert changed > 10


@pytest.mark.parametrize("body", ["nested deeply", "cut in the middle", "100 MB"])
@pytest.mark.parametrize("name", ["infobip", "melissa", "bandwidth", "own"])
def test_a_batch_that_is_answered_badly_is_lost_as_a_whole(server: ProviderServer, name: str, body: Any) -> None:
    case = Case(name, server, {"key": SECRET} if name == "own" else TABLES[name]["settings"])
    lookup = case.connect()
    server.answering = lambda _: (200, Endless(HUNDRED_MB) if body == "100 MB" else BODIES[body])

    answers, error = drain(lambda: lookup.look_up(NUMBERS[:5]))
    lookup.close()

    assert [answer.e164 for answer in answers] == NUMBERS[:5]
    assert {(answer.kind, answer.outcome) for answer in answers} == {(AnswerKind.LOST, Outcome.PROVIDER_ERROR)}
    assert isinstance(error, UnreachableError)
    assert len(server.sent) == 1
