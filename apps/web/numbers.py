"""The questions about numbers: checks from what is known, and screenings that may buy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from ringfence.core.model.blocks import Channel
from ringfence.core.model.roles import Role

from ..operations.answers import Cell, NumberAnswer, answer_looked
from ..operations.asked_checks import queue_checks
from .bodies import StrictRoute
from .callers import Caller, Callers, needs
from .number_bodies import CheckAnswer, CheckQuestion, ScreenAnswer, ScreenQuestion
from .origins import NOT_LISTED, find_origin
from .problems import ProblemError
from .service import Served, Service
from .waiting import Waiting

router = APIRouter(tags=["numbers"], route_class=StrictRoute)

HIDDEN = ("suppressed", "channels", "last_screened")
"""What a token of the role form is not told: anybody can read that token in the page."""


@router.post("/v1/check", response_model=CheckAnswer, summary="What is known of a number, at once")
async def check_number(
    question: CheckQuestion,
    request: Request,
    service: Served,
    caller: Annotated[Caller, Depends(needs(Role.FORM))],
) -> JSONResponse:
    """Answer from rules, the ledger and the facts on record. Nothing is bought.

    With `queue` a paid check follows, where it would tell more; that needs the role operator. A token of the role form
    is for the web pages of the allow list, and is not told why a number must not be contacted.
    """
    callers: Callers = request.app.state.callers
    if question.queue and not caller.role.may(Role.OPERATOR):
        detail = f"To queue a check is not for a token of the role {caller.role}: it needs operator."
        raise await callers.forbid(request, caller, "needs operator to queue a check", detail)
    if caller.role is Role.FORM and find_origin(request.scope) not in request.app.state.origins:
        raise await callers.forbid(request, caller, "a page that is not on the list", NOT_LISTED, code="origin")
    return JSONResponse(await run_in_threadpool(_check, service, question, caller))


def _check(service: Service, question: CheckQuestion, caller: Caller) -> dict[str, Any]:
    is_form = caller.role is Role.FORM
    cell = (question.number, question.region or None)
    channel = Channel(question.channel) if question.channel else None
    (looked,) = service.answerer.look([cell], question.purpose or None)
    answer = answer_looked(service, looked, cell, channel)

    if question.queue and looked.is_wanted and service.answerer.may_buy and answer.number:
        queue_checks(service.store, service.jobs, service.clock, [answer.number])
        answer = replace(answer, queued=True)
    return _as_form(service, cell, answer) if is_form else answer.as_json()


def _as_form(service: Service, cell: Cell, answer: NumberAnswer) -> dict[str, Any]:
    """Return what a web page is told: what kind of number it is, and not who asked for silence, or how."""
    (looked,) = service.answerer.look([cell], with_ledger=False)
    plain = looked.answer()
    told = {name: value for name, value in answer.as_json().items() if name not in HIDDEN}
    return {**told, "status": plain.status, "reason": plain.reason, "line_type": plain.line_type, "fresh": plain.fresh}


@router.post("/v1/screen", response_model=ScreenAnswer, summary="Screen numbers, with lookups within the caps")
async def screen_numbers(
    question: ScreenQuestion,
    request: Request,
    service: Served,
    _caller: Annotated[Caller, Depends(needs(Role.OPERATOR))],
) -> JSONResponse:
    """Answer for each number in the order of the question, after the lookups that are wanted.

    What is not there within `wait_s` seconds is answered from what is known, with `fresh` false and `queued` true; the
    lookup goes on, and a later question finds it. Lookups are bought only where a cap of the day is set.
    """
    said = question.model_fields_set
    is_one = bool(question.number) or ("number" in said and "numbers" not in said)
    texts = [question.number] if is_one else question.numbers
    if bool(question.numbers) is is_one:
        raise ProblemError(422, "Send number or numbers, and not both.", code="invalid")
    cells = [(text, question.region or None) for text in texts]

    looked = await run_in_threadpool(service.answerer.look, cells)
    wanted = list(dict.fromkeys(each.number.e164 for each in looked if each.is_wanted and each.number.e164))
    waits: Mapping[str, int] = {}
    if wanted and service.answerer.may_buy:
        waiting: Waiting = request.app.state.waiting
        await run_in_threadpool(queue_checks, service.store, service.jobs, service.clock, wanted)
        waits = await waiting.wait(wanted, question.wait_s)
        looked = await run_in_threadpool(service.answerer.look, cells)

    results = [
        replace(answer_looked(service, each, cell, None), queued=each.is_wanted and each.number.e164 in waits).as_json()
        for each, cell in zip(looked, cells, strict=True)
    ]
    return JSONResponse({"results": results})
