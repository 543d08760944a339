"""Twilio Lookup v2 on loopback: `GET /v2/PhoneNumbers/{number}`.

Shapes follow Twilio's OpenAPI file and its example bodies (April 2026): every package is a key, null unless asked for;
a number that cannot exist is a 200 with `valid: false`; a package that failed has an `error_code` inside the 200.
"""

import base64
import hmac
from collections import Counter
from collections.abc import Mapping
from email.utils import format_datetime
from hashlib import sha256
from random import Random
from threading import RLock
from typing import Any

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .broken_wire import BrokenResponse, Wire
from .clock import SandboxClock
from .fault_gate import FaultGate
from .fault_rules import Seen
from .rates import RollingWindow

PACKAGES = (
    "caller_name",
    "sim_swap",
    "call_forwarding",
    "line_status",
    "line_type_intelligence",
    "identity_match",
    "reassigned_number",
    "sms_pumping_risk",
    "phone_number_quality_score",
    "pre_fill",
)
ANSWERED = ("line_status", "line_type_intelligence")
"""The packages that are switched on for this account; the others answer with error 60606 (package not enabled)."""

NOT_ENABLED, NOT_COVERED = 60606, 60610

LINE_TYPES = {
    PhoneNumberType.FIXED_LINE: "landline",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "mobile",
    PhoneNumberType.TOLL_FREE: "tollFree",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.SHARED_COST: "sharedCost",
    PhoneNumberType.VOIP: "nonFixedVoip",
    PhoneNumberType.PERSONAL_NUMBER: "personal",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "uan",
    PhoneNumberType.VOICEMAIL: "voicemail",
}
WITH_CARRIER = {"landline", "mobile", "nonFixedVoip"}

PROBLEMS = {
    ValidationResult.TOO_SHORT: "TOO_SHORT",
    ValidationResult.TOO_LONG: "TOO_LONG",
    ValidationResult.INVALID_COUNTRY_CODE: "INVALID_COUNTRY_CODE",
    ValidationResult.INVALID_LENGTH: "INVALID_LENGTH",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "TOO_SHORT",
}

# Shares of line states, in percent, drawn from a hash of the number: the same number always has the same state.
STATES = (("active", 62), ("reachable", 18), ("inactive", 8), ("unreachable", 6), ("unknown", 3), (None, 3))


class TwilioAccount:
    """An account with its credentials; counts every number asked for.

    `asked` counts the paid questions per number, `answers` replaces parts of an answer for a number (E.164 -> top-level
    keys of the body), `requests_per_second` is the limit that gives 429.
    """

    def __init__(self, *, clock: SandboxClock, seed: int = 7, requests_per_second: int = 300) -> None:
        rng = Random(seed)  # noqa: S311 -- made-up credentials for loopback, not a secret
        self.clock = clock
        self.sid = f"AC{rng.randbytes(16).hex()}"
        self.auth_token = rng.randbytes(16).hex()
        self.requests: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.answers: dict[str, Mapping[str, Any]] = {}
        self.window = RollingWindow(requests_per_second, 1)
        self.lock = RLock()
        self.faults: FaultGate[Response] | None = None

    def is_authorised(self, authorization: str) -> bool:
        """True for HTTP Basic with this account's SID and token."""
        expected = "Basic " + base64.b64encode(f"{self.sid}:{self.auth_token}".encode()).decode()
        return hmac.compare_digest(authorization.encode(), expected.encode())


def twilio_app(account: TwilioAccount) -> Starlette:
    """Return the ASGI application that answers for `account`; every request passes through `_lookup`."""

    async def lookup(request: Request) -> Response:
        with account.lock:
            answer, wire = _lookup(account, request)
        answer.headers["Date"] = format_datetime(account.clock.now(), usegmt=True)
        return answer if wire is None else BrokenResponse(answer, wire)

    return Starlette(routes=[Route("/{path:path}", lookup)])


def _lookup(account: TwilioAccount, request: Request) -> tuple[Response, Wire | None]:
    path: str = request.scope["path"]
    raw = path.removeprefix("/v2/PhoneNumbers/")
    known = raw not in {"", path} and "/" not in raw and request.method == "GET"
    account.requests["GET /v2/PhoneNumbers/{number}" if known else f"{request.method} other"] += 1
    if account.faults is None:
        return _pass(account, request, raw if known else None), None
    seen = Seen(request.method, path, "lookup" if known else "other")
    return account.faults.answer(seen, lambda: _pass(account, request, raw if known else None))


def _pass(account: TwilioAccount, request: Request, raw: str | None) -> Response:
    """Answer a request for a number, or for something that does not exist (None)."""
    if not account.is_authorised(request.headers.get("authorization", "")):
        return refusal(401, 20003, "Authenticate")
    if raw is None:
        return refusal(404, 20404, f"The requested resource {request.scope['path']} was not found")
    if not account.window.take(account.clock.now()):
        return refusal(429, 20429, "Too many requests")
    fields = [name.strip() for name in request.query_params.get("Fields", "").split(",") if name.strip()]
    unknown = [name for name in fields if name not in {*PACKAGES, "validation"}]
    if unknown:
        return refusal(400, 60608, f"Invalid 'Fields' parameter: {', '.join(unknown)}")
    base = f"{request.url.scheme}://{request.url.netloc}/v2/PhoneNumbers/"
    return _answer(account, raw, request.query_params.get("CountryCode"), fields, base)


def _answer(account: TwilioAccount, raw: str, region: str | None, fields: list[str], base: str) -> JSONResponse:
    number, problem = _parsed(raw, region)
    e164 = raw if number is None else phonenumbers.format_number(number, PhoneNumberFormat.E164)
    account.asked[e164] += 1
    body: dict[str, Any] = {
        "calling_country_code": None,
        "country_code": None,
        "phone_number": e164,
        "national_format": None,
        "valid": problem is None,
        "validation_errors": [problem] if problem else None,
        **dict.fromkeys(PACKAGES),
        "url": f"{base}{e164}",
    }
    if number is not None and problem is None:
        body |= {
            "calling_country_code": str(number.country_code),
            "country_code": phonenumbers.region_code_for_number(number),
            "national_format": phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL),
        }
        body |= {name: _package(name, number, e164) for name in fields if name in PACKAGES}
    return JSONResponse(body | dict(account.answers.get(e164, {})))


def _parsed(raw: str, region: str | None) -> tuple[PhoneNumber | None, str | None]:
    """Return the number and Twilio's validation error, if any. Without a country a national number is American."""
    try:
        number = phonenumbers.parse(raw, region or "US")
    except phonenumbers.NumberParseException as error:
        country = phonenumbers.NumberParseException.INVALID_COUNTRY_CODE
        return None, "INVALID_COUNTRY_CODE" if error.error_type == country else "NOT_A_NUMBER"
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != ValidationResult.IS_POSSIBLE:
        return number, PROBLEMS[reason]
    return number, None if phonenumbers.is_valid_number(number) else "INVALID_BUT_POSSIBLE"


def _package(name: str, number: PhoneNumber, e164: str) -> dict[str, Any]:
    if name not in ANSWERED:
        return {"error_code": NOT_ENABLED}
    if name == "line_status":
        status = _state(e164)
        return {"status": status, "error_code": None if status else NOT_COVERED}
    kind = LINE_TYPES.get(phonenumbers.number_type(number), "unknown")
    carrier = f"Sandbox {kind} carrier" if kind in WITH_CARRIER else None
    return {
        "mobile_country_code": "001" if kind == "mobile" else None,
        "mobile_network_code": "01" if kind == "mobile" else None,
        "carrier_name": carrier,
        "type": kind,
        "error_code": None,
    }


def _state(e164: str) -> str | None:
    draw = int.from_bytes(sha256(e164.encode()).digest()[:4]) % 100
    for state, share in STATES:
        if draw < share:
            return state
        draw -= share
    raise AssertionError("the shares of STATES add up to 100")


def refusal(status: int, code: int, message: str) -> JSONResponse:
    """Return an error in Twilio's form."""
    body = {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return JSONResponse(body, status)
