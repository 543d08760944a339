"""Queries of one Composite call that did not answer in time, each of which may be asked in another way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from simple_salesforce.exceptions import SalesforceError

from .composite import Subrequest, SubrequestAnswer
from .errors import QUERY_TIMEOUT, QueryTimeoutError, read_error, read_fault


def as_timed_out(subrequests: Sequence[Subrequest]) -> Callable[[Exception], list[dict[str, Any]]]:
    """Return what makes of a call's fault the answers of queries that each timed out; nothing of any other fault.

    Queries that are answered one after the other may each be in time, and together be later than an answer may.
    """

    def rescue(error: Exception) -> list[dict[str, Any]]:
        if isinstance(error, SalesforceError):
            content = error.content if read_fault(error.content).code == QUERY_TIMEOUT else None
        else:
            content = [{"errorCode": QUERY_TIMEOUT, "message": "No answer came in time."}]
            content = content if len(subrequests) > 1 else None

        numbers = range(len(subrequests)) if content else ()
        return [{"referenceId": f"r{number}", "httpStatusCode": 400, "body": content} for number in numbers]

    return rescue


def read_body(what: str, answer: SubrequestAnswer) -> Any:
    """Return the body, or the error of a query that timed out. Raises any other refusal."""
    if answer.ok:
        return answer.body
    error = read_error(what, answer.status or 500, answer.body)
    if isinstance(error, QueryTimeoutError):
        return error
    raise error
