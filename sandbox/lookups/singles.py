"""Providers that are asked about one number at a time (docs/vendors/lookups.md)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import ClassVar

from starlette.responses import JSONResponse, Response

from .numverify import Numverify
from .telnyx import Telnyx
from .truth import Truth
from .voice import Asked, Refused, Voice, one, problem


class Plivo(Voice):
    """Plivo: HTTP Basic; a number that does not exist is a 404."""

    name = "plivo"
    credentials = ("AUTH_ID", "AUTH_TOKEN")
    STATUSES: ClassVar[Mapping[Refused, int]] = {
        "auth": 401,
        "credit": 402,
        "rate": 429,
        "permission": 403,
        "bad_request": 400,
    }

    def is_authorised(self, asked: Asked) -> bool:
        wanted = f"{asked.keys['AUTH_ID']}:{asked.keys['AUTH_TOKEN']}".encode()
        return asked.headers.get("authorization") == "Basic " + base64.b64encode(wanted).decode()

    def numbers(self, asked: Asked) -> Sequence[str] | None:
        head, found, number = asked.path.rpartition("/v1/Number/")
        return one(number) if found and not head else None

    def answer(self, asked: Asked, truths: Sequence[Truth]) -> Response:
        truth = truths[0]
        if not truth.valid:
            return problem(404, {"api_id": "0f0f", "error_code": 20404, "message": "Number not found"})
        kinds = {"landline": "fixed", "mobile": "mobile", "voip": "voip", "toll_free": "toll-free"}
        kind = truth.word or kinds.get(truth.type, "unknown")
        carrier = {"mobile_country_code": "001", "mobile_network_code": "01", "name": truth.carrier, "type": kind}
        body = {"api_id": "0f0f", "phone_number": truth.e164, "country": {"iso2": truth.region}}
        return JSONResponse({**body, "carrier": {**carrier, "ported": "no"}, "resource_uri": "/v1/Number/x"})

    def refuse(self, why: Refused) -> Response:
        return problem(self.STATUSES.get(why, 400), {"error": why})


class Abstract(Voice):
    """Abstract: the key in the URL."""

    name = "abstract"
    credentials = ("API_KEY",)
    CODES: ClassVar[Mapping[Refused, tuple[int, str]]] = {
        "auth": (401, "unauthorized"),
        "credit": (422, "quota_reached"),
        "rate": (429, "too_many_requests"),
        "bad_request": (400, "validation_error"),
    }

    def is_authorised(self, asked: Asked) -> bool:
        return asked.query.get("api_key") == asked.keys["API_KEY"]

    def numbers(self, asked: Asked) -> Sequence[str] | None:
        return one(asked.query.get("phone")) if asked.path == "/v1/" else None

    def answer(self, asked: Asked, truths: Sequence[Truth]) -> Response:
        truth = truths[0]
        line = truth.word or ("active" if truth.line == "active" else "unknown")
        return JSONResponse(
            {
                "phone_number": truth.e164,
                "phone_validation": {"is_valid": truth.valid, "line_status": line, "is_voip": truth.type == "voip"},
                "phone_carrier": {"name": truth.carrier, "line_type": truth.type, "mcc": "001", "mnc": "01"},
                "phone_risk": {"risk_level": "low", "is_disposable": False, "is_abuse_detected": False},
            }
        )

    def refuse(self, why: Refused) -> Response:
        status, code = self.CODES.get(why, (400, "bad_request"))
        return problem(status, {"error": {"code": code, "message": "No.", "details": None}})


class Ipqs(Voice):
    """IPQualityScore: the key in the path, refusals inside a 200."""

    name = "ipqs"
    credentials = ("API_KEY",)
    WORDS: ClassVar[Mapping[Refused, str]] = {
        "auth": "Invalid or unauthorized key. Please check the API key and try again.",
        "credit": "You have insufficient credits to make this query.",
        "permission": "This data set is not enabled for the account.",
        "bad_request": "Invalid phone number.",
    }

    def is_authorised(self, asked: Asked) -> bool:
        return asked.path.split("/")[4:5] == [asked.keys["API_KEY"]]

    def numbers(self, asked: Asked) -> Sequence[str] | None:
        parts = asked.path.split("/")
        return one(parts[5]) if asked.path.startswith("/api/json/phone/") and len(parts) == 6 else None

    def answer(self, asked: Asked, truths: Sequence[Truth]) -> Response:
        truth = truths[0]
        active = {"active": True, "disconnected": False}.get(truth.line)
        kinds = {"mobile": "Wireless", "toll_free": "Toll Free", "voip": "VOIP", "premium": "Premium Rate"}
        body = {"success": True, "message": "Phone is valid.", "valid": truth.valid, "active": active}
        body |= {"carrier": truth.carrier, "line_type": truth.word or kinds.get(truth.type, truth.type.title())}
        return JSONResponse({**body, "fraud_score": 12, "VOIP": truth.type == "voip", "prepaid": None})

    def refuse(self, why: Refused) -> Response:
        if why == "rate":
            return problem(429, {"success": False, "message": "Too many requests."})
        return JSONResponse({"success": False, "message": self.WORDS.get(why, "Something else.")})


class Trestle(Voice):
    """Trestle: an activity score in place of a line status."""

    name = "trestle"
    credentials = ("API_KEY",)
    CODES: ClassVar[Mapping[Refused, tuple[int, str]]] = {
        "auth": (403, "INVALID_API_KEY"),
        "credit": (429, "QUOTA_EXCEEDED"),
        "rate": (429, "RATE_LIMIT_EXCEEDED"),
        "permission": (403, "FORBIDDEN"),
        "bad_request": (400, "BAD_REQUEST"),
    }

    def is_authorised(self, asked: Asked) -> bool:
        return asked.headers.get("x-api-key") == asked.keys["API_KEY"]

    def numbers(self, asked: Asked) -> Sequence[str] | None:
        return one(asked.query.get("phone")) if asked.path == "/3.0/phone_intel" else None

    def answer(self, asked: Asked, truths: Sequence[Truth]) -> Response:
        truth = truths[0]
        score = {"active": 92, "disconnected": 12, "unreachable": 50}.get(truth.line)
        kinds = {"landline": "Landline", "mobile": "Mobile", "voip": "NonFixedVOIP", "toll_free": "TollFree"}
        body = {"id": "Phone.1", "phone_number": truth.digits, "is_valid": truth.valid, "activity_score": score}
        body |= {"line_type": truth.word or kinds.get(truth.type, "Other"), "carrier": truth.carrier}
        return JSONResponse({**body, "is_prepaid": False, "error": None, "warnings": []})

    def refuse(self, why: Refused) -> Response:
        status, name = self.CODES.get(why, (400, "BAD_REQUEST"))
        return problem(status, {"error": {"name": name, "message": "No."}})


class RealPhoneValidation(Voice):
    """RealPhoneValidation: US numbers of ten digits; a bad token and a low balance look nearly the same."""

    name = "realphonevalidation"
    credentials = ("TOKEN",)

    def is_authorised(self, asked: Asked) -> bool:
        return asked.query.get("token") == asked.keys["TOKEN"]

    def numbers(self, asked: Asked) -> Sequence[str] | None:
        number = asked.query.get("phone", "")
        return [f"+1{number}"] if asked.path.endswith("/RealPhoneValidationTurbo.php") and number else None

    def answer(self, asked: Asked, truths: Sequence[Truth]) -> Response:
        truth = truths[0]
        said = {"active": "connected", "disconnected": "disconnected", "unreachable": "unreachable"}
        status = truth.word or (said.get(truth.line, "unknown") if truth.valid else "invalid phone")
        cell = {"mobile": "Y", "landline": "N", "voip": "V"}.get(truth.type, "")
        return JSONResponse({"status": status, "error_text": "", "iscell": cell, "carrier": truth.carrier})

    def refuse(self, why: Refused) -> Response:
        if why == "rate":
            return problem(429, {"status": "server-unavailable", "error_text": "too many requests"})
        words = {"auth": "token not found", "credit": "account balance too low"}
        status = "unauthorized" if why in words else "ERROR"
        return JSONResponse({"status": status, "error_text": words.get(why, why)})


class HlrLookups(Voice):
    """HLR Lookups: a digest of key and secret in a header."""

    name = "hlr-lookups"
    credentials = ("API_KEY", "API_SECRET")
    STATUSES: ClassVar[Mapping[Refused, int]] = {"auth": 401, "credit": 402, "rate": 429, "permission": 403}

    def is_authorised(self, asked: Asked) -> bool:
        wanted = f"{asked.keys['API_KEY']}:{asked.keys['API_SECRET']}".encode()
        return asked.headers.get("x-basic") == hashlib.sha256(wanted).hexdigest()

    def numbers(self, asked: Asked) -> Sequence[str] | None:
        found = asked.path == "/api/v2/hlr-lookup" and asked.method == "POST"
        return one(asked.fields.get("msisdn")) if found else None

    def answer(self, asked: Asked, truths: Sequence[Truth]) -> Response:
        truth = truths[0]
        said = {"active": "CONNECTED", "unreachable": "ABSENT", "disconnected": "INVALID_MSISDN"}
        body = {
            "id": "1",
            "msisdn": truth.e164,
            "connectivity_status": truth.word or said.get(truth.line, "UNDETERMINED"),
        }
        body |= {"mccmnc": "00101", "mcc": "001", "mnc": "01", "original_network_name": truth.carrier}
        return JSONResponse({**body, "is_ported": False, "cost": "0.0100", "processing_status": "COMPLETED"})

    def refuse(self, why: Refused) -> Response:
        return problem(self.STATUSES.get(why, 400), {"errors": [why]})

    def other(self, asked: Asked) -> Response | None:
        return JSONResponse({"success": True}) if asked.path == "/api/v2/auth-test" else None


SINGLES: tuple[type[Voice], ...] = (
    Numverify,
    Telnyx,
    Plivo,
    Abstract,
    Ipqs,
    Trestle,
    RealPhoneValidation,
    HlrLookups,
)
