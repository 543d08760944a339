"""ClearoutPhone over real sockets: what is sent, to whom, and what becomes of a file that was handed in."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from ringfence.core.errors import UnreachableError
from ringfence.core.model.answers import Answer, AnswerKind, Order
from testkit.provider_server import ProviderServer, Sent

from .orders import HEAD, Connect, Orders, good, numbers_in, order

NUMBERS = [f"+1415556{n:04}" for n in range(300)]
PATHS = ["/phonenumber/bulk", "/phonenumber/bulk/progress_status?list_id=list1", "/download/result"]
FILE = "/list1.csv?key=opens-it"


def test_one_number_goes_out_with_a_token_behind_a_colon(connect: Connect, server: ProviderServer) -> None:
    (answer,) = connect(good).look_up(NUMBERS[:1])

    (sent,) = server.sent
    assert isinstance(answer, Answer)
    assert (sent.method, sent.path) == ("POST", "/phonenumber/validate")
    assert sent.headers["Authorization"] == "Bearer:very-secret"
    assert sent.json == {"number": NUMBERS[0], "timeout": 20_000}


@pytest.mark.parametrize(("count", "singles", "files"), [(99, 99, 0), (100, 0, 1), (250, 0, 1)])
def test_from_so_many_numbers_on_a_question_is_one_file(
    connect: Connect, server: ProviderServer, count: int, singles: int, files: int
) -> None:
    orders = Orders()
    lookup = connect(lambda sent: orders(sent) if "bulk" in sent.path else good(sent))

    came = list(lookup.look_up([*NUMBERS[:count], *NUMBERS[:count]]))

    assert len([each for each in came if isinstance(each, Answer)]) == singles
    assert [list(each.numbers) for each in came if isinstance(each, Order)] == [NUMBERS[:count]] * files
    assert sorted(number for sent in server.sent for number in numbers_in(sent)) == NUMBERS[:count]
    assert len(server.sent) == singles + files


def test_the_setting_says_from_how_many_numbers_on(connect: Connect, server: ProviderServer) -> None:
    assert isinstance(next(iter(connect(Orders(), bulk_from=1).look_up(NUMBERS[:1]))), Order)
    assert connect(Orders(), bulk_from=7).profile.batch == 7


def test_an_order_is_fetched_by_another_process_and_sent_once(connect: Connect, server: ProviderServer) -> None:
    orders = Orders()
    ordered = order(connect(orders), NUMBERS)
    after_a_kill = connect(orders)

    assert list(after_a_kill.collect(ordered)) == []
    orders.state = "Completed"
    answers = list(after_a_kill.collect(ordered))

    assert [answer.e164 for answer in answers] == NUMBERS
    assert {(answer.validity.value, answer.line, answer.line_type) for answer in answers} == {("valid", None, "mobile")}
    assert [sent.path for sent in server.sent] == [PATHS[0], PATHS[1], PATHS[1], PATHS[2], FILE]


def test_the_token_goes_to_no_address_of_a_file(
    connect: Connect, server: ProviderServer, elsewhere: ProviderServer, caplog: pytest.LogCaptureFixture
) -> None:
    orders = Orders()
    orders.place, orders.state, elsewhere.answering = elsewhere.url, "completed", orders
    lookup = connect(orders)

    with caplog.at_level(logging.DEBUG):
        assert len(list(lookup.collect(order(lookup, NUMBERS)))) == len(NUMBERS)

    (fetched,) = elsewhere.sent
    assert fetched.path == FILE
    assert "very-secret" not in str(fetched.headers)
    assert {sent.headers["Authorization"] for sent in server.sent} == {"Bearer:very-secret"}
    assert not [word for word in ("very-secret", "opens-it", "1415556") if word in caplog.text]


@pytest.mark.parametrize("status", [301, 302, 307])
def test_no_redirect_is_followed(
    connect: Connect, elsewhere: ProviderServer, server: ProviderServer, status: int
) -> None:
    orders = Orders()
    lookup = connect(orders)
    ordered = order(lookup, NUMBERS)
    orders.state = "completed"
    moved = {"Location": f"{elsewhere.url}/away"}
    server.answering = lambda sent: (status, "", moved) if ".csv" in sent.path else orders(sent)

    with pytest.raises(UnreachableError):
        list(lookup.collect(ordered))
    assert elsewhere.sent == []


@pytest.mark.parametrize(
    "place",
    ["http://files.example.com", "ftp://127.0.0.1", "//127.0.0.1", "https://me:word@example.com", "https://", "https://[x",
     "http://127.0.0.1\\@example.com"],
)  # fmt: skip
def test_an_unsafe_address_of_a_file_is_not_called(connect: Connect, server: ProviderServer, place: str) -> None:
    orders = Orders()
    orders.state, orders.place = "completed", place
    lookup = connect(orders)
    ordered = order(lookup, NUMBERS)

    with pytest.raises(UnreachableError, match="no https:// address") as caught:
        list(lookup.collect(ordered))

    assert "kept" in (caught.value.remedy or "")
    assert "opens-it" not in f"{caught.value!r} {caught.value.message} {caught.value.__cause__!r}"
    assert [sent.path for sent in server.sent] == PATHS


@pytest.mark.parametrize("how", ["on the way", "where it was made"])
def test_a_file_that_is_cut_off_is_fetched_again_and_the_order_is_kept(
    connect: Connect, server: ProviderServer, how: str
) -> None:
    orders = Orders()
    lookup = connect(orders)
    ordered = order(lookup, NUMBERS)
    orders.state = "completed"

    def cut(sent: Sent) -> tuple[Any, ...]:
        status, said = orders(sent)
        if ".csv" not in sent.path:
            return status, said
        return (status, said, "cut") if how == "on the way" else (status, said[: len(said) // 2 + 3])

    server.answering = cut
    with pytest.raises(UnreachableError, match="order"):
        list(lookup.collect(ordered))
    assert [sent.path for sent in server.sent].count(FILE) == 4

    server.answering = lambda sent: cut(sent) if len(server.sent) < 16 else orders(sent)
    assert [answer.kind for answer in lookup.collect(ordered)] == [AnswerKind.INCONCLUSIVE] * len(NUMBERS)
    assert [sent.path for sent in server.sent].count(PATHS[0]) == 1


def test_a_number_that_was_not_asked_is_ignored_and_one_left_out_is_lost(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    orders = Orders()
    lookup = connect(orders)
    ordered = order(lookup, NUMBERS)
    orders.state = "completed"
    orders.words = {NUMBERS[2]: "invalid", NUMBERS[3]: "hibernating"}
    rows = orders.answers("list1").replace(f"{NUMBERS[1]},", "+4915123456789,")
    orders.file = rows

    with caplog.at_level(logging.WARNING):
        answers = {answer.e164: answer for answer in lookup.collect(ordered)}

    assert list(answers) == NUMBERS
    assert answers[NUMBERS[1]].kind is AnswerKind.LOST
    assert answers[NUMBERS[2]].kind is AnswerKind.KNOWN
    assert answers[NUMBERS[3]].unrecognised == (("validity", "hibernating"),)
    assert "about 1 numbers" in caplog.text
    assert "4915123456789" not in caplog.text


@pytest.mark.parametrize("fate", ["failed", "cancelled", "unknown there"])
def test_numbers_that_an_order_will_never_tell_are_lost(connect: Connect, fate: str) -> None:
    orders = Orders()
    lookup = connect(orders)
    ordered = order(lookup, NUMBERS)
    orders.state = fate
    if fate == "unknown there":
        orders.numbers.clear()

    answers = list(lookup.collect(ordered))

    assert [answer.e164 for answer in answers] == NUMBERS
    assert {answer.kind for answer in answers} == {AnswerKind.LOST}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ((200, {"status": "failed", "error": {"message": "busy"}}), "busy"),
        ((200, {"status": "success", "data": {"url": ""}}), "where the answers lie"),
        ((200, HEAD.replace("Status", "Colour")), "lacks the columns"),
        ((200, "<html>log in</html>"), "in place of its file"),
        ((403, "gone"), "HTTP 403"),
    ],
    ids=["refused in a good answer", "no address", "other columns", "a page", "an address that has expired"],
)
def test_what_goes_wrong_after_the_end_of_an_order_keeps_it(
    connect: Connect, server: ProviderServer, said: tuple[int, Any], told: str
) -> None:
    orders = Orders()
    lookup = connect(orders)
    ordered = order(lookup, NUMBERS)
    orders.state = "completed"
    where = "/download/result" if isinstance(said[1], dict) else ".csv"
    server.answering = lambda sent: said if where in sent.path else orders(sent)

    with pytest.raises(UnreachableError, match=told) as caught:
        list(lookup.collect(ordered))
    assert "kept" in (caught.value.remedy or "")

    server.answering = orders
    assert len(list(lookup.collect(ordered))) == len(NUMBERS)


def test_a_404_from_somebody_else_does_not_end_an_order(connect: Connect, server: ProviderServer) -> None:
    lookup = connect(Orders())
    ordered = order(lookup, NUMBERS)

    server.answering = lambda _: (404, {"error": "not found"})
    with pytest.raises(UnreachableError):
        list(lookup.collect(ordered))


@pytest.mark.slow
def test_ten_times_as_many_numbers_as_a_file_has_are_ten_files_and_each_is_answered_once(
    connect: Connect, server: ProviderServer
) -> None:
    orders, many = Orders(), [f"+1415{n:07}" for n in range(2_000_000, 2_100_050)]
    orders.state = "completed"
    lookup = connect(lambda sent: good(sent) if "validate" in sent.path else orders(sent))
    orders.place = server.url

    came = list(lookup.look_up(many))
    ordered = [each for each in came if isinstance(each, Order)]
    answers = [answer for each in ordered for answer in lookup.collect(each)]

    assert [len(each.numbers) for each in ordered] == [10_000] * 10
    assert [answer.e164 for answer in answers] == many[:100_000]
    assert sorted(each.e164 for each in came if isinstance(each, Answer)) == many[100_000:]
    assert {answer.kind for answer in answers} == {AnswerKind.INCONCLUSIVE}
    assert len(server.sent) == 10 * 4 + 50
