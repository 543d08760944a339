"""Why a request told nothing about any number, and what a status by itself says of that."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.core.model.axes import Outcome

from .exchange import Reply


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a whole request has told nothing about any number; ``outcome`` is neither OK nor PARTIAL.

    ``code`` is the provider's own, for a person. ``paid`` tells that nobody rules a charge out.
    """

    outcome: Outcome
    code: str
    paid: bool = False


def refusal_by_status(reply: Reply) -> Refusal | None:
    """Return what the status alone says of a refused request; None for a good one and for one that nobody knows."""
    status, code = reply.status, f"HTTP {reply.status}"
    if status in _BY_STATUS:
        return Refusal(_BY_STATUS[status], code)
    if status == 503 and "Retry-After" in reply.headers:
        return Refusal(Outcome.RATE_LIMITED, code)
    if status >= 500:
        return Refusal(Outcome.PROVIDER_ERROR, code, paid=True)
    return None


_BY_STATUS = {
    400: Outcome.BAD_REQUEST,
    401: Outcome.AUTH_FAILED,
    402: Outcome.OUT_OF_CREDIT,
    403: Outcome.NOT_PERMITTED,
    404: Outcome.BAD_REQUEST,
    422: Outcome.BAD_REQUEST,
    429: Outcome.RATE_LIMITED,
}
