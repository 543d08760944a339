"""The HTTP side of the accounts: one gate that every request passes, and behind it each provider's own voice."""

from __future__ import annotations

from email.utils import format_datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..broken_wire import BrokenResponse, Wire
from ..fault_rules import RequestFacts
from .state import LookupAccounts
from .truth import truth_of
from .voice import Asked, Voice

ENDPOINT = "/{provider}/{path}"


def lookups_app(accounts: LookupAccounts) -> Starlette:
    """Return the ASGI application of the accounts."""

    async def serve(request: Request) -> Response:
        content = await request.body()
        with accounts.lock:
            answer, wire = _pass_gate(accounts, request, content)

        answer.headers["Date"] = format_datetime(accounts.clock.now(), usegmt=True)
        return answer if wire is None else BrokenResponse(answer, wire)

    return Starlette(routes=[Route("/{path:path}", serve, methods=["GET", "POST"])])


def _pass_gate(accounts: LookupAccounts, request: Request, content: bytes) -> tuple[Response, Wire | None]:
    """Count and answer a request, with the faults of the accounts if they have some; None: ordinary delivery."""
    path: str = request.scope["path"]
    name, _, rest = path.lstrip("/").partition("/")
    voice = accounts.voices.get(name)
    accounts.requests[name] += 1

    def answer() -> Response:
        if voice is None:
            return JSONResponse({"error": "no such provider"}, 404)
        headers = {key.lower(): value for key, value in request.headers.items()}
        asked = Asked(request.method, f"/{rest}", dict(request.query_params), headers, content, accounts.keys[name])
        return _answer(accounts, voice, asked)

    if accounts.faults is None:
        return answer(), None
    return accounts.faults.answer(RequestFacts(request.method, path, "lookup"), answer)


def _answer(accounts: LookupAccounts, voice: Voice, asked: Asked) -> Response:
    """Answer a request as the provider does: credentials first, then pace, then the request, then credit."""
    if not voice.is_authorised(asked):
        return voice.refuse("auth")
    if (other := voice.other(asked)) is not None:
        return other
    numbers = voice.numbers(asked)
    if numbers is None:
        return JSONResponse({"error": "no such path"}, 404)
    if not accounts.windows[voice.name].take(accounts.clock.now()):
        return voice.refuse("rate")
    if voice.name in accounts.refusing:
        return voice.refuse(accounts.refusing[voice.name])
    if not numbers:
        return voice.refuse("bad_request")
    if len(numbers) > voice.limit(asked) or len(set(numbers)) < len(numbers):
        return voice.refuse("too_many")

    credit = accounts.credit.get(voice.name)
    if credit is not None:
        if credit < len(numbers):
            return voice.refuse("credit")
        accounts.credit[voice.name] = credit - len(numbers)
    accounts.billed.update((voice.name, number) for number in numbers)
    return voice.answer(asked, [truth_of(number, accounts.answers.get(number, {})) for number in numbers])
