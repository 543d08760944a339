"""Refusals of the Twilio API, in the shape that the service uses."""

from __future__ import annotations

from starlette.responses import JSONResponse


def refusal(status: int, code: int, message: str) -> JSONResponse:
    """Return the answer to a refused request: HTTP status, Twilio's error code and its message."""
    body = {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }

    return JSONResponse(body, status)
