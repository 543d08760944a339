"""Vonage: Identity Insights with the token of an application, Number Insight with everything inside a 200."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import jwt
from starlette.responses import JSONResponse, Response

from .place import Place, place_of
from .truth import Truth
from .voice import Asked, Refused, Voice, plus, problem

LATEST = "2026-05-02T08:00:00Z"
ASKABLE = frozenset({"format", "original_carrier", "current_carrier", "sim_swap", "roaming", "reachability"})


class IdentityInsights(Voice):
    """Identity Insights (docs/vendors/lookups.md)."""

    name = "vonage"
    credentials = ("APPLICATION_ID", "PUBLIC_KEY")
    STATUSES: ClassVar[Mapping[Refused, int]] = {"auth": 401, "credit": 402, "rate": 429, "permission": 403}

    def is_authorised(self, asked: Asked) -> bool:
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        try:
            claims = jwt.decode(token, asked.keys["PUBLIC_KEY"], ["RS256"], {"require": ["exp", "iat", "jti"]})
        except jwt.PyJWTError:
            return False
        return bool(claims.get("application_id") == asked.keys["APPLICATION_ID"])

    def numbers(self, asked: Asked) -> Sequence[str] | None:
        if asked.path != "/identity-insights/v1/requests" or asked.method != "POST":
            return None
        number, insights = asked.fields.get("phone_number"), asked.fields.get("insights")
        asks = isinstance(insights, dict) and insights and ASKABLE.issuperset(insights)
        return [plus(number)] if number and asks else []

    def answer(self, asked: Asked, truths: Sequence[Truth]) -> Response:
        truth, wanted = truths[0], asked.fields["insights"]
        insights = {name: self._insight(name, truth) for name in wanted}
        if "reachability" in wanted and "purpose" not in asked.fields:
            insights["reachability"] = _status("INVALID_PURPOSE")
        return JSONResponse({"request_id": "aaaaaaaa-bbbb", "insights": insights})

    def _insight(self, name: str, truth: Truth) -> dict[str, Any]:
        if not truth.valid:
            invalid = _status("INVALID_NUMBER_FORMAT")
            return {"is_format_valid": False, **invalid} if name == "format" else invalid
        if name == "format":
            return {"is_format_valid": True, **_format(truth), **_status("OK")}
        if name.endswith("_carrier"):
            kinds = {"mobile": "MOBILE", "landline": "LANDLINE", "toll_free": "TOLLFREE", "voip": "VIRTUAL"}
            kind = truth.word or kinds.get(truth.type)
            network = {"name": truth.carrier, "network_code": "00101", "country_code": truth.region}
            return {**network, "network_type": kind, **_status("OK")}
        if name == "reachability" and truth.line != "unknown":
            alive = truth.line == "active"
            told = {"is_reachable": alive, "connectivity": ["SMS"] if alive else [], "latest_status_at": LATEST}
            return {**told, **_status("OK")}
        return _status("NOT_FOUND" if name == "reachability" else "NO_COVERAGE")

    def refuse(self, why: Refused) -> Response:
        return problem(self.STATUSES.get(why, 422), {"title": why, "detail": "No."})


SUCCESS = {
    "status": 0,
    "status_message": "Success",
    "lookup_outcome": 0,
    "lookup_outcome_message": "Success",
    "request_id": "aaaaaaaa-bbbb",
}
PRICES = {"request_price": "0.04000000", "refund_price": "0.01500000", "remaining_balance": "10.00000000"}


class NumberInsight(Voice):
    """Number Insight, advanced."""

    name = "vonage-number-insight"
    credentials = ("API_KEY", "API_SECRET")
    CODES: ClassVar[Mapping[Refused, int]] = {"auth": 4, "credit": 9, "rate": 1, "permission": 19, "bad_request": 3}

    def is_authorised(self, asked: Asked) -> bool:
        wanted = f"{asked.keys['API_KEY']}:{asked.keys['API_SECRET']}".encode()
        return asked.headers.get("authorization") == "Basic " + base64.b64encode(wanted).decode()

    def numbers(self, asked: Asked) -> Sequence[str] | None:
        return [plus(asked.query["number"])] if asked.path == "/ni/advanced/json" and "number" in asked.query else None

    def answer(self, asked: Asked, truths: Sequence[Truth]) -> Response:
        truth = truths[0]
        said = {"active": "reachable", "unreachable": "absent", "disconnected": "bad_number"}
        kinds = {"toll_free": "landline_tollfree", "premium": "landline_premium", "voip": "virtual"}
        carrier = {"network_code": "00101", "name": truth.carrier, "country": truth.region}
        carrier |= {"network_type": kinds.get(truth.type, truth.type)}

        told = {
            "valid_number": "valid" if truth.valid else "not_valid",
            "reachable": truth.word or said.get(truth.line, "unknown"),
            "ported": "not_ported",
            "roaming": {"status": "not_roaming"} if truth.line == "active" else "unknown",
            "current_carrier": carrier,
            "original_carrier": carrier,
        }
        return JSONResponse({**SUCCESS, **_countries(truth), **PRICES, **told})

    def refuse(self, why: Refused) -> Response:
        return JSONResponse({"status": self.CODES.get(why, 5), "status_message": why})


def _status(code: str) -> dict[str, Any]:
    return {"status": {"code": code, "message": code.lower()}}


def _format(truth: Truth) -> dict[str, Any]:
    place = place_of(truth.e164)
    return {
        "country_code": place.iso2,
        "country_name": place.name,
        "country_prefix": place.calling_code,
        "offline_location": None,
        "time_zones": [],
        "number_international": truth.digits,
        "number_national": place.national,
    }


def _countries(truth: Truth) -> dict[str, str]:
    """Return where a number belongs, as Number Insight says it; for one that is none its digits alone."""
    place = place_of(truth.e164) if truth.valid else Place("", "", "", "", truth.digits)
    return {
        "international_format_number": truth.digits,
        "national_format_number": place.national,
        "country_code": place.iso2,
        "country_code_iso3": place.iso3,
        "country_name": place.name,
        "country_prefix": place.calling_code,
    }
