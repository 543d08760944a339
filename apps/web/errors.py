"""Whatever a route may raise, as a problem document."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from ringfence.core.errors import FixError, RingfenceError, UsageError
from ringfence.core.numbers import mask_numbers

from .bounds import retry_after
from .problems import FAULT, ProblemError, answer_problem, problem_response
from .remedies import RETRY_S, find_words

_MOST_ERRORS = 20
_LONGEST = 200

logger = logging.getLogger(__name__)


def answer_errors(app: FastAPI) -> None:
    """Let the application answer every error that its routes may raise."""
    app.add_exception_handler(ProblemError, answer_problem)
    app.add_exception_handler(RingfenceError, _answer_ours)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(PoolTimeoutError, _answer_no_connection)
    app.add_exception_handler(Exception, _answer_fault)


def _answer_fault(_request: Request, _error: Exception) -> JSONResponse:
    """Answer a fault; it is raised once more behind this, for the log."""
    return problem_response(FAULT)


def _answer_ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RingfenceError)  # noqa: S101 - registered for this class alone
    words = find_words(error)
    if not isinstance(error, UsageError):
        level = logging.ERROR if isinstance(error, FixError) else logging.WARNING
        logger.log(level, "%s", error, extra={"code": error.code.value})
    headers = retry_after(request.scope, RETRY_S) if words.passes else {}
    return problem_response(ProblemError(words.status, words.detail, code=error.code.value, headers=headers))


def _answer_no_connection(request: Request, _error: Exception) -> JSONResponse:
    logger.warning("All connections to the state store are in use.")
    headers = retry_after(request.scope, RETRY_S)
    return problem_response(ProblemError(503, "The state store is busy. Call again.", code="busy", headers=headers))


def _answer_invalid(request: Request, error: Exception) -> JSONResponse:
    """Say what is wrong with a request, and nothing of what it holds: that may be a number."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class alone
    if request.method == "POST" and "json" not in request.headers.get("Content-Type", "").lower():
        detail = "Send the body as JSON, with the header Content-Type: application/json."
        return problem_response(ProblemError(422, detail, code="not_json"))
    found = [{"where": _where(each["loc"]), "message": _message(each)} for each in error.errors()[:_MOST_ERRORS]]
    return problem_response(
        ProblemError(422, "The request is not as described; `errors` says where.", code="invalid", errors=found)
    )


def _where(location: Sequence[Any]) -> str:
    return mask_numbers(".".join(str(part) for part in location))[:_LONGEST]


def _message(error: dict[str, Any]) -> str:
    return mask_numbers(str(error["msg"]))[:_LONGEST]


def _answer_http(_request: Request, error: Exception) -> JSONResponse:
    """Answer what the framework itself refuses: no such path, not by this method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    details = {404: "There is nothing at this path.", 405: "This path is not called by this method."}
    detail = details.get(error.status_code, f"{HTTPStatus(error.status_code).phrase}.")
    return problem_response(ProblemError(error.status_code, detail, headers=error.headers))
