"""`/composite`: up to 25 subrequests in one API call (docs/vendors/salesforce.md, section 2.4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .errors import ApiError, unparsable
from .journal import Journal
from .rows import payload
from .state import OrgState
from .wire import Answer, Call

MAX_SUBREQUESTS = 25
MAX_QUERIES_AND_COLLECTIONS = 5
_HEAVY = re.compile(r"/services/data/v\d+\.0/(query|queryAll|composite/sobjects)(?=[/?]|$)", re.IGNORECASE)
_REFERENCE = re.compile(r"@\{([A-Za-z0-9_]+)((?:\.[A-Za-z0-9_]+|\[\d+\])*)\}")
_RAW = re.compile(r"[^!-~]|[<>\"\\^`{|}]")
"""What RFC 3986 has no place for: spaces, control and non-ASCII characters, and these signs."""
_STEP = re.compile(r"\.([A-Za-z0-9_]+)|\[(\d+)\]")
_ROLLED_BACK = "The transaction was rolled back since another operation in the same transaction failed."
_FIXED_HEADERS = frozenset({"accept", "authorization", "content-type"})
Dispatch = Callable[["OrgState", Call], Answer]
Response = dict[str, Any]


def composite(org: OrgState, call: Call, dispatch: Dispatch) -> Answer:
    """Answer POST `/composite`; the top level is 200 whenever the body could be read.

    `dispatch` answers a subrequest. Subrequests get no headers of the outer call: each brings its own `httpHeaders`.
    """
    body = payload(call.document)
    given = body.get("compositeRequest")
    if not isinstance(given, list) or not all(isinstance(entry, dict) for entry in given):
        raise unparsable("Cannot deserialize instance of list from compositeRequest at [line:1, column:1]")

    refusal = _size_refusal(given)
    if refusal:
        return Answer(200, {"compositeResponse": [refusal]})

    all_or_none = body.get("allOrNone") is True
    journal = Journal()
    responses = _run(org, given, all_or_none, journal, dispatch, linked=b"@{" in call.raw)

    if all_or_none and any(_failed(response) for response in responses):
        journal.roll_back()
        responses = [
            response if _failed(response) else _refused(response["referenceId"], "PROCESSING_HALTED", _ROLLED_BACK)
            for response in responses
        ]

    return Answer(200, {"compositeResponse": responses})


def _size_refusal(given: list[dict[str, Any]]) -> Response | None:
    if len(given) > MAX_SUBREQUESTS:
        text = f"The request can\u2019t contain more than {MAX_SUBREQUESTS} operations."
        return _refused(None, "LIMIT_EXCEEDED", text)
    heavy = sum(1 for entry in given if _HEAVY.match(str(entry.get("url"))))
    if heavy > MAX_QUERIES_AND_COLLECTIONS:
        text = f"The request can\u2019t contain more than {MAX_QUERIES_AND_COLLECTIONS} query or collection operations."
        return _refused(None, "LIMIT_EXCEEDED", text)
    return None


def _run(
    org: OrgState,
    given: list[dict[str, Any]],
    all_or_none: bool,
    journal: Journal,
    dispatch: Dispatch,
    *,
    linked: bool,
) -> list[Response]:
    results: dict[str, object] = {}
    responses: list[Response] = []

    for entry in given:
        reference = entry.get("referenceId")
        if all_or_none and responses and _failed(responses[-1]):
            responses.append(_refused(reference, "PROCESSING_HALTED", _ROLLED_BACK))
            continue

        try:
            answer = dispatch(org, _subcall(entry, results, journal, linked=linked))
        except ApiError as error:
            answer = Answer(error.status, error.body())

        responses.append(_response(answer, reference))
        if answer.status < 300:
            results[str(reference)] = answer.body

    return responses


def _subcall(entry: dict[str, Any], results: Mapping[str, object], journal: Journal, *, linked: bool) -> Call:
    method, reference = str(entry.get("method", "")).upper(), entry.get("referenceId")
    if not isinstance(reference, str) or not re.fullmatch(r"[A-Za-z0-9_]+", reference):
        raise ApiError(400, "INVALID_INPUT", "referenceId must consist of letters, numbers and underscores")
    if reference in results:
        raise ApiError(400, "INVALID_INPUT", f"Duplicate referenceId: {reference}")

    headers = {str(name).lower(): str(value) for name, value in (entry.get("httpHeaders") or {}).items()}
    if fixed := _FIXED_HEADERS & headers.keys():
        raise ApiError(400, "INVALID_HTTP_HEADER", f"Header not supported in a subrequest: {', '.join(sorted(fixed))}")

    address = str(_resolve(str(entry.get("url", "")), results))
    if raw := _RAW.search(address):
        text = f"Illegal character in the url of a subrequest at index {raw.start()}: it has to be percent-encoded"
        raise ApiError(400, "ILLEGAL_QUERY_PARAMETER_VALUE", text)

    url = urlsplit(address)
    match = re.match(r"/services/data/(v\d+\.0)/", url.path)
    if match is None or re.search(r"/composite(?!/sobjects)|/tooling/|/limits|/jobs/", url.path):
        raise ApiError(400, "INVALID_INPUT", f"The url is not supported in a composite request: {url.path}")

    return Call(
        method=method,
        path=url.path.rstrip("/"),
        query=dict(parse_qsl(url.query, keep_blank_values=True)),
        headers=headers,
        document=_resolve(entry.get("body"), results) if linked else entry.get("body"),
        version=match[1],
        journal=journal,
    )


def _resolve(value: object, results: Mapping[str, object]) -> object:
    """Return the value with every `@{reference.path}` replaced by what an earlier subrequest answered."""
    if isinstance(value, str):
        if "@{" not in value:
            return value
        return _REFERENCE.sub(lambda match: str(_referenced(match, results)), value)
    if isinstance(value, dict):
        return {key: _resolve(inner, results) for key, inner in value.items()}
    if isinstance(value, list):
        return [_resolve(inner, results) for inner in value]
    return value


def _referenced(match: re.Match[str], results: Mapping[str, object]) -> object:
    found: Any = results.get(match[1])
    for name, index in _STEP.findall(match[2]):
        try:
            found = found[int(index)] if index else found[name]
        except (KeyError, IndexError, TypeError):
            found = None
    if found is None:
        text = f"Invalid reference specified. No value for {match[0][2:-1]} found in {match[1]}"
        raise ApiError(400, "PROCESSING_HALTED", text)
    return found


def _failed(response: Response) -> bool:
    status: int = response["httpStatusCode"]
    return status >= 400


def _response(answer: Answer, reference: object) -> Response:
    return {
        "body": answer.body,
        "httpHeaders": dict(answer.headers),
        "httpStatusCode": answer.status,
        "referenceId": reference,
    }


def _refused(reference: object, code: str, message: str) -> Response:
    body = [{"errorCode": code, "message": message}]
    return {"body": body, "httpHeaders": {}, "httpStatusCode": 400, "referenceId": reference}
