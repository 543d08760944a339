"""The HTTP side of the account: one gate that every request passes, and one endpoint behind it."""

from __future__ import annotations

from email.utils import format_datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..broken_wire import BrokenResponse, Wire
from ..fault_rules import RequestFacts
from .errors import refusal
from .packages import NOT_ENABLED, PACKAGES, fail_packages, is_billed, lookup_body
from .state import TwilioAccount

_NUMBERS = "/v2/PhoneNumbers/"
ENDPOINT = f"{_NUMBERS}{{number}}"


def twilio_app(account: TwilioAccount) -> Starlette:
    """Return the ASGI application of an account; every request passes through `_pass_gate`."""

    async def lookup(request: Request) -> Response:
        with account.lock:
            answer, wire = _pass_gate(account, request)

        answer.headers["Date"] = format_datetime(account.clock.now(), usegmt=True)
        return answer if wire is None else BrokenResponse(answer, wire)

    return Starlette(routes=[Route("/{path:path}", lookup)])


def _pass_gate(account: TwilioAccount, request: Request) -> tuple[Response, Wire | None]:
    """Count and answer a request, with the faults of the account if it has some; None: ordinary delivery."""
    path: str = request.scope["path"]
    raw = path.removeprefix(_NUMBERS)
    known = raw not in {"", path} and "/" not in raw and request.method == "GET"
    number = raw if known else None
    account.requests[f"GET {ENDPOINT}" if known else f"{request.method} other"] += 1

    if account.faults is None:
        return _answer(account, request, number), None

    facts = RequestFacts(request.method, path, "lookup" if known else "other")
    return account.faults.answer(facts, lambda: _answer(account, request, number))


def _answer(account: TwilioAccount, request: Request, number: str | None) -> Response:
    """Answer a request for a number, or, with None, for a path that does not exist."""
    if not account.is_authorised(request.headers.get("authorization", "")):
        return refusal(401, 20003, "Authenticate")
    if number is None:
        return refusal(404, 20404, f"The requested resource {request.scope['path']} was not found")
    if not account.window.take(account.clock.now()):
        return refusal(429, 20429, "Too many requests")

    named = [name.strip() for name in request.query_params.get("Fields", "").split(",")]
    fields = [name for name in named if name]
    unknown = [name for name in fields if name not in {*PACKAGES, "validation"}]
    if unknown:
        return refusal(400, 60608, f"Invalid 'Fields' parameter: {', '.join(unknown)}")
    enabled = {*account.traits.packages, "validation"}
    if account.traits.refuses_packages and not enabled.issuperset(fields):
        return refusal(403, NOT_ENABLED, "The requested data package is not enabled for this account")

    since = request.query_params.get("LastVerifiedDate", "")
    body = lookup_body(number, request.query_params.get("CountryCode"), fields, enabled, since)
    e164 = body["phone_number"]
    body |= {"url": f"{request.url.scheme}://{request.url.netloc}{_NUMBERS}{e164}", **account.answers.get(e164, {})}
    fail_packages(body, account.failing)
    if is_billed(body):
        account.billed[e164] += 1

    return JSONResponse(body)
