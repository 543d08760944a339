"""Providers that take many numbers in one call (docs/vendors/lookups.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from starlette.responses import JSONResponse, Response

from .truth import Truth
from .voice import Asked, Refused, Voice, plus, problem


class Infobip(Voice):
    """Infobip: up to 1,000 numbers, the key in a header, each result with status and error of its own."""

    name = "infobip"
    credentials = ("API_KEY",)
    batch = 1000
    STATUSES: ClassVar[Mapping[Refused, int]] = {"auth": 401, "rate": 429, "permission": 403, "credit": 402}

    def is_authorised(self, asked: Asked) -> bool:
        return asked.headers.get("authorization") == f"App {asked.keys['API_KEY']}"

    def numbers(self, asked: Asked) -> Sequence[str] | None:
        if asked.path != "/number/1/query" or asked.method != "POST":
            return None
        return [plus(number) for number in asked.fields.get("to") or ()]

    def answer(self, asked: Asked, truths: Sequence[Truth]) -> Response:
        return JSONResponse({"bulkId": "b-1", "results": [self._result(truth) for truth in truths]})

    def _result(self, truth: Truth) -> dict[str, Any]:
        groups = {"active": "DELIVERED", "disconnected": "UNDELIVERABLE", "unreachable": "UNDELIVERABLE"}
        group = truth.word or groups.get(truth.line, "REJECTED")
        dead, away = (1, "EC_UNKNOWN_SUBSCRIBER", True), (27, "EC_ABSENT_SUBSCRIBER", False)
        errors = {"disconnected": dead, "unreachable": away}
        number, name, permanent = errors.get(truth.line, (0, "NO_ERROR", False))
        network = {"networkName": truth.carrier, "networkPrefix": "55", "countryName": truth.region}
        return {
            "to": truth.digits,
            "mccMnc": "00101",
            "originalNetwork": network,
            "ported": False,
            "status": {"groupId": 3, "groupName": group, "id": 5, "name": f"{group}_TO_HANDSET", "description": ""},
            "error": {"groupId": 0, "groupName": "OK", "id": number, "name": name, "permanent": permanent},
        }

    def refuse(self, why: Refused) -> Response:
        words = {"messageId": why.upper(), "text": "No."}
        return problem(self.STATUSES.get(why, 400), {"requestError": {"serviceException": words}})

    def other(self, asked: Asked) -> Response | None:
        return JSONResponse({"balance": 10.0, "currency": "EUR"}) if asked.path == "/account/1/balance" else None


class Melissa(Voice):
    """Melissa: up to 100 records, the key in the body, everything else in codes; refusals inside a 200."""

    name = "melissa"
    credentials = ("LICENSE_KEY",)
    batch = 100
    CODES: ClassVar[Mapping[Refused, str]] = {
        "auth": "GE05",
        "credit": "GE14",
        "permission": "GE08",
        "too_many": "GE03",
        "bad_request": "GE07",
    }

    def is_authorised(self, asked: Asked) -> bool:
        return bool(asked.fields.get("CustomerID") == asked.keys["LICENSE_KEY"])

    def numbers(self, asked: Asked) -> Sequence[str] | None:
        if asked.path != "/v4/WEB/GlobalPhone/doGlobalPhone" or asked.method != "POST":
            return None
        return [plus(record["PhoneNumber"]) for record in asked.fields.get("Records") or ()]

    def answer(self, asked: Asked, truths: Sequence[Truth]) -> Response:
        premium = "Premium" in str(asked.fields.get("Options"))
        sent = asked.fields["Records"]
        records = [
            {
                "RecordID": record["RecordID"],
                "Results": ",".join(_codes(truth, premium=premium)),
                "PhoneNumber": truth.digits[-10:],
                "InternationalPhoneNumber": truth.e164,
                "CountryAbbreviation": truth.region,
                "Carrier": truth.carrier,
            }
            for record, truth in zip(sent, truths, strict=True)
        ]
        return JSONResponse({"Version": "4.0", "TransmissionResults": "", "Records": records})

    def refuse(self, why: Refused) -> Response:
        if why == "rate":
            return problem(429, {"title": "Too many requests", "status": 429})
        return JSONResponse({"Version": "4.0", "TransmissionResults": self.CODES.get(why, "SE01"), "Records": []})


def _codes(truth: Truth, *, premium: bool) -> list[str]:
    if not truth.valid:
        return ["PE01"]
    kinds = {"mobile": "PS07", "landline": "PS08", "voip": "PS09", "toll_free": "PS13"}
    live = {"active": ["PS17"], "disconnected": ["PS20"]}.get(truth.line, ["PS20"]) if premium else []
    return ["PS01", *live, kinds.get(truth.type, "PS16"), *([truth.word] if truth.word else [])]
