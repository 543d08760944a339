"""What is wrong in a provider's file beyond the shape of its keys: words nobody knows, and places that do not fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .axis_maps import AnswerMap
from .request_template import NUMBER_PLACES, RequestTemplate, count_numbers, lists_of_numbers, places_in

_TAKEN = (*NUMBER_PLACES, "base_url", "price", "pace")
"""Names that mean something else than a credential."""


def find_flaws(request: RequestTemplate, answer: AnswerMap, credentials: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each flaw in any file, its place in front."""
    yield from _find_wrong_values(answer)
    yield from _find_wrong_places(request, credentials)
    yield from _find_unused(request, credentials)
    if not any(answer.axes()):
        yield "answer: name at least one of validity, line_state, line_type, ported"


def _find_wrong_values(answer: AnswerMap) -> Iterator[str]:
    for name, axis, kind in answer.axes():
        ours = {str(each) for each in kind}
        if not axis.values and not axis.ranges:
            yield f"answer.{name}: it has neither values nor ranges"
        meant = [meant.value for meant in axis.values.values()] + [span.value for span in axis.ranges]
        for value in (*meant, axis.default):
            if value not in ours:
                yield f"answer.{name}: {value!r} is none of {', '.join(sorted(ours))}"


def _find_wrong_places(request: RequestTemplate, credentials: Sequence[str]) -> Iterator[str]:
    known = {*NUMBER_PLACES, *credentials}
    for where, text, in_url in request.texts():
        for place in places_in(text):
            if place not in known:
                yield f"{where}: nobody knows {{{place}}}; there are {', '.join(sorted(known))}"
            elif in_url and place in credentials and not request.secret_in_url:
                yield (
                    f"{where}: {{{place}}} is a credential and would stand in the URL, which servers and proxies "
                    "log; put it into a header, or say secret_in_url: true where the vendor has no other way"
                )


def _find_unused(request: RequestTemplate, credentials: Sequence[str]) -> Iterator[str]:
    used = {place for _, text, _ in request.texts() for place in places_in(text)}
    if not used.intersection(NUMBER_PLACES):
        yield f"request: the number stands nowhere; write {{e164}} or one of {', '.join(NUMBER_PLACES)}"
    for name in credentials:
        if name not in used:
            yield f"credentials: {name} is used nowhere in the request"
        if name in _TAKEN:
            yield f"credentials: {name} means something else"


def find_flaws_of_one(answer: AnswerMap, *, item_errors: bool) -> Iterator[str]:
    """Yield what has no meaning in a file that asks about one number at a time."""
    for name, is_there in (("answer.items", bool(answer.items)), ("item_errors", item_errors)):
        if is_there:
            yield f"{name}: it is for files with batch, and this one asks about one number at a time"


def find_flaws_of_many(request: RequestTemplate, answer: AnswerMap, *, status_answers: bool) -> Iterator[str]:
    """Yield what keeps many numbers from one request, or their answers from being told apart."""
    if request.method != "POST":
        yield "request.method: many numbers go out in a body, so it is POST"
    lists = list(lists_of_numbers(request.json_body))
    if len(lists) != 1:
        yield 'request.json: with batch it has one list whose one element names the number, such as ["{e164}"]'
    elif count_numbers([text for _, text, _ in request.texts()]) > count_numbers(lists[0]):
        yield "request: with batch the number stands in the list of request.json alone"

    if not answer.items or not answer.number:
        yield "answer: with batch it names items, the list of answers, and number, by which each finds its own"
    if status_answers:
        yield "status_answers: a status says nothing about one of many numbers"
