"""Errors as problem documents (RFC 9457), without a stack trace, a secret or a full number."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"


class ProblemError(Exception):
    """What a route raises to answer with a problem document.

    ``detail`` says what happened and what to do now, for the caller. ``code`` names the situation for programs.
    ``headers`` go out with it, such as Retry-After.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        code: str = "",
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.code = code
        self.headers = dict(headers or {})
        self.more = more


FAULT = ProblemError(
    500, "A fault of ringfence itself; its log has more under the id of this request.", code="internal"
)
"""What a caller is told about a fault."""


def answer_problem(_request: Request, problem: Exception) -> JSONResponse:
    """Return the problem document of an error that a route raised."""
    assert isinstance(problem, ProblemError)  # noqa: S101 - registered for this class alone
    return problem_response(problem)


def problem_response(problem: ProblemError) -> JSONResponse:
    """Return the answer that tells of a problem."""
    content = _document(problem.status, problem.detail, problem.code, problem.more)
    return JSONResponse(content, problem.status, problem.headers, MEDIA_TYPE)


def problem_bytes(status: int, detail: str, code: str = "") -> bytes:
    """Return the body of an answer that tells of a problem before any route was asked."""
    return json.dumps(_document(status, detail, code, {})).encode()


def _document(status: int, detail: str, code: str, more: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **({"code": code} if code else {}),
        **more,
    }
