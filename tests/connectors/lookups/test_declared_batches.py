"""A provider's file with ``batch``, over real sockets: many numbers in one request, each answer found by its number."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ringfence.connectors.lookups.declared.file import parse_provider_file
from ringfence.connectors.lookups.declared.plugin import make_plugin
from ringfence.core.errors import AuthenticationError, QuotaError, RingfenceError, UnreachableError
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.axes import Outcome
from ringfence.core.ports.lookup import Lookup
from ringfence.core.ports.services import Services
from testkit.clock import SetClock
from testkit.provider_server import Answering, ProviderServer, Sent

FILE = """\
name: many
credentials: [key]
request:
  method: POST
  url: https://api.example.com/v1/phones
  headers: {X-Key: "{key}"}
  json: {options: {live: true}, phones: [{number: "{digits}", region: "{region}"}]}
batch: 50
answer:
  items: data.results
  number: phone
  line_state: {path: line.status, values: {live: active, dead: disconnected}, default: unknown}
  line_type: {path: line.type, values: {cell: mobile}, default: unknown}
partial_by: warning
item_errors:
  - {path: error, values: {no_credit: out_of_credit, unknown_country: not_covered}, default: provider_error}
body_errors:
  - {path: error.code, values: {bad_key: auth_failed, no_credit: out_of_credit}, default: provider_error}
price: 0.002
"""
NUMBERS = [f"+1415556{n:04}" for n in range(120)]
Connect = Callable[[Answering], Lookup]


@pytest.fixture
def connect(server: ProviderServer, clock: SetClock) -> Iterator[Connect]:
    opened: list[Lookup] = []

    def make(answering: Answering) -> Lookup:
        server.answering = answering
        plugin = make_plugin(parse_provider_file(FILE, "many.yaml"))
        lookup = plugin.connect(plugin.settings(key="very-secret", base_url=server.url), Services(clock))
        opened.append(lookup)
        return lookup

    yield make
    for lookup in opened:
        lookup.close()


def asked(sent: Sent) -> list[str]:
    return [f"+{each['number']}" for each in sent.json["phones"]]


def item(number: str, **said: Any) -> dict[str, Any]:
    return {"phone": number, "line": {"status": "live", "type": "cell"}, **said}


def answer_all(sent: Sent) -> tuple[int, Any]:
    return 200, {"data": {"results": [item(number) for number in reversed(asked(sent))]}}


def drain(lookup: Lookup, numbers: list[str] = NUMBERS) -> tuple[dict[str, Answer], RingfenceError | None]:
    answers: dict[str, Answer] = {}
    try:
        for answer in lookup.look_up(numbers):
            assert isinstance(answer, Answer)
            assert answer.e164 not in answers
            answers[answer.e164] = answer
    except RingfenceError as error:
        return answers, error
    return answers, None


def test_many_numbers_go_out_in_one_request_and_each_finds_its_answer(connect: Connect, server: ProviderServer) -> None:
    lookup = connect(answer_all)

    answers, error = drain(lookup, [*NUMBERS, *NUMBERS])

    assert error is None
    assert lookup.profile.batch == 50
    assert sorted(answers) == NUMBERS
    assert {(answer.line, answer.line_type) for answer in answers.values()} == {("active", "mobile")}
    assert sorted(number for sent in server.sent for number in asked(sent)) == NUMBERS
    assert sorted(len(asked(sent)) for sent in server.sent) == [20, 50, 50]
    first = server.sent[0].json
    assert first["options"] == {"live": True}
    assert first["phones"][0] == {"number": NUMBERS[0][1:], "region": "US"}


def test_an_answer_left_out_is_lost_a_stranger_ignored_and_an_empty_item_no_answer(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    def answering(sent: Sent) -> tuple[int, Any]:
        first, second, _third, *rest = asked(sent)
        told = [item(first[2:]), {"phone": second}, *map(item, rest), item("+4915123456789"), {"line": {}}, 7, None]
        return 200, {"data": {"results": told}}

    with caplog.at_level(logging.WARNING):
        answers, error = drain(connect(answering), NUMBERS[:6])

    assert error is None
    lost = [number for number, answer in answers.items() if answer.kind is AnswerKind.LOST]
    assert sorted(lost) == NUMBERS[1:3]
    assert {answers[number].line for number in (NUMBERS[0], *NUMBERS[3:6])} == {"active"}
    assert "4915123456789" not in caplog.text


def test_an_item_may_have_failed_by_itself(connect: Connect) -> None:
    def answering(sent: Sent) -> tuple[int, Any]:
        first, second, third, fourth, *rest = asked(sent)
        told = [
            {"phone": first, "error": "unknown_country"},
            {"phone": second, "error": "dreaming"},
            item(third, warning="no type", line={"status": "dead"}),
            {"phone": fourth, "warning": "nothing came"},
        ]
        return 200, {"data": {"results": [*told, *map(item, rest)]}}

    answers, error = drain(connect(answering), NUMBERS[:5])

    assert error is None
    assert [answers[number].outcome for number in NUMBERS[:5]] == [
        Outcome.NOT_COVERED,
        Outcome.PROVIDER_ERROR,
        Outcome.PARTIAL,
        Outcome.PROVIDER_ERROR,
        Outcome.OK,
    ]
    assert not answers[NUMBERS[0]].paid
    assert (answers[NUMBERS[2]].line, answers[NUMBERS[2]].line_type) == ("disconnected", None)


def test_one_number_that_is_refused_costs_the_others_nothing(connect: Connect, server: ProviderServer) -> None:
    bad = NUMBERS[7]

    answers, error = drain(connect(lambda sent: (400, {}) if bad in asked(sent) else answer_all(sent)), NUMBERS[:50])

    assert error is None
    assert [number for number, answer in answers.items() if answer.kind is not AnswerKind.KNOWN] == [bad]
    assert len(answers) == 50


def test_credit_that_ends_within_a_batch_loses_no_answer(connect: Connect, server: ProviderServer) -> None:
    def answering(sent: Sent) -> tuple[int, Any]:
        first, *rest = asked(sent)
        return 200, {"data": {"results": [item(first), *({"phone": each, "error": "no_credit"} for each in rest)]}}

    answers, error = drain(connect(answering))

    assert isinstance(error, QuotaError)
    assert answers[NUMBERS[0]].kind is AnswerKind.KNOWN
    assert len(server.sent) == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((200, {"error": {"code": "bad_key"}}), AuthenticationError),
        ((401, {}), AuthenticationError),
        ((200, {"error": {"code": "no_credit"}}), QuotaError),
        ((200, {"data": {"results": {"a": 1}}}), UnreachableError),
        ((200, "<html>log in</html>"), UnreachableError),
    ],
)
def test_a_request_that_is_refused_buys_nothing_and_tells_no_secret(
    connect: Connect, server: ProviderServer, answer: tuple[int, Any], expected: type[RingfenceError]
) -> None:
    answers, error = drain(connect(lambda _: answer))

    assert type(error) is expected
    assert answers == {}
    assert len(server.sent) == 1
    assert "very-secret" not in f"{error} {error.remedy}"


def test_an_answer_that_is_cut_off_is_lost_and_not_asked_for_again(connect: Connect, server: ProviderServer) -> None:
    answers, error = drain(connect(lambda sent: (*answer_all(sent), "cut")), NUMBERS[:50])

    assert isinstance(error, UnreachableError)
    assert {answer.kind for answer in answers.values()} == {AnswerKind.LOST}
    assert len(server.sent) == 1


def test_a_list_that_is_the_whole_body_is_read(connect: Connect, server: ProviderServer, clock: SetClock) -> None:
    text = FILE.replace("items: data.results", 'items: "."')
    server.answering = lambda sent: (200, [item(number) for number in asked(sent)])
    plugin = make_plugin(parse_provider_file(text, "many.yaml"))
    lookup = plugin.connect(plugin.settings(key="very-secret", base_url=server.url), Services(clock))

    answers, error = drain(lookup, NUMBERS[:3])
    lookup.close()

    assert error is None
    assert {answer.line for answer in answers.values()} == {"active"}
