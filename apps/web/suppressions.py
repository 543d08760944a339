"""The suppression ledger over HTTP: entries made, and the question whether a number may be contacted."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from ringfence.core.model.blocks import BlockKind, Channel
from ringfence.core.model.roles import Role

from ..operations.ledger_json import as_added, as_answer
from ..operations.suppression import Wish, add_entry, check_number
from .bodies import StrictRoute
from .callers import Caller, needs
from .number_bodies import SuppressionAdded, SuppressionAnswer, SuppressionQuestion, SuppressionWish
from .service import Served

router = APIRouter(tags=["suppressions"], route_class=StrictRoute)


@router.post("/v1/suppressions", response_model=SuppressionAdded, summary="Keep a number silent")
def add_suppression(
    wish: SuppressionWish, service: Served, caller: Annotated[Caller, Depends(needs(Role.COMPLIANCE))]
) -> JSONResponse:
    """Put a number on the ledger, as `ringfence suppress add` does; the token's name is the author.

    Nobody may contact it from now on. One that says the same is there once, and `new` is then false.
    """
    entry = Wish(
        wish.number,
        wish.reason,
        BlockKind(wish.kind),
        Channel(wish.channel),
        wish.region or None,
        wish.expires or None,
        wish.record or None,
    )
    done = add_entry(service.wiring, entry, replace(service.door, author=caller.name), service.store)
    return JSONResponse(as_added(done))


@router.post("/v1/suppressions/check", response_model=SuppressionAnswer, summary="Whether a number may be contacted")
def check_suppression(
    question: SuppressionQuestion, service: Served, _caller: Annotated[Caller, Depends(needs(Role.VIEWER))]
) -> JSONResponse:
    """Tell what keeps a number silent, as `ringfence suppress check` does; without a channel any block counts.

    Any answer but 200 means: do not call. A number that cannot be read is 422, and 503 says that a do-not-call list of
    its country has expired.
    """
    answer = check_number(
        service.wiring,
        question.number,
        channel=Channel(question.channel) if question.channel else None,
        region=question.region or None,
        store=service.store,
    )
    return JSONResponse(as_answer(answer))
