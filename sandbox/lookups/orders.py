"""Providers that answer an order later (docs/vendors/lookups.md): the answers are there from the second look on."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from starlette.responses import JSONResponse, Response

from .truth import Truth
from .voice import Asked, Refused, Voice, plus, problem


class Bandwidth(Voice):
    """Bandwidth: 100 numbers at once, up to 15,000 as an order; a number that nobody has is an error inside a 200."""

    name = "bandwidth"
    credentials = ("ACCOUNT_ID", "USERNAME", "PASSWORD")
    batch = 100
    most_ordered: ClassVar[int] = 15_000
    STATUSES: ClassVar[Mapping[Refused, int]] = {"auth": 401, "credit": 402, "rate": 429, "permission": 403}

    def __init__(self) -> None:
        self._orders: dict[str, tuple[Sequence[Truth], int]] = {}

    def is_authorised(self, asked: Asked) -> bool:
        wanted = f"{asked.keys['USERNAME']}:{asked.keys['PASSWORD']}".encode()
        return asked.headers.get("authorization") == "Basic " + base64.b64encode(wanted).decode()

    def limit(self, asked: Asked) -> int:
        return self.most_ordered if asked.path.endswith("/bulk") else self.batch

    def numbers(self, asked: Asked) -> Sequence[str] | None:
        root = f"/v2/accounts/{asked.keys['ACCOUNT_ID']}/phoneNumberLookup"
        if asked.method != "POST" or asked.path not in (root, f"{root}/bulk"):
            return None
        return [plus(number) for number in asked.fields.get("phoneNumbers") or ()]

    def answer(self, asked: Asked, truths: Sequence[Truth]) -> Response:
        if not asked.path.endswith("/bulk"):
            return JSONResponse(_body("sync", truths))
        reference = f"order-{len(self._orders) + 1}-{truths[0].digits[-4:]}"
        self._orders[reference] = (truths, 0)
        return JSONResponse({"data": {"requestId": reference, "status": "IN_PROGRESS"}, "errors": []}, 202)

    def other(self, asked: Asked) -> Response | None:
        head, found, reference = asked.path.rpartition("/phoneNumberLookup/bulk/")
        if asked.method != "GET" or not found or not head:
            return None
        if reference not in self._orders:
            return problem(404, {"data": None, "errors": [{"code": "404", "description": "No such request."}]})

        truths, looks = self._orders[reference]
        self._orders[reference] = (truths, looks + 1)
        if looks == 0:
            return JSONResponse(
                {"data": {"requestId": reference, "status": "IN_PROGRESS", "results": []}, "errors": []}
            )
        return JSONResponse(_body(reference, truths))

    def refuse(self, why: Refused) -> Response:
        errors = [{"code": why, "description": "No.", "type": why}]
        return problem(self.STATUSES.get(why, 400), {"data": None, "errors": errors})


def _body(reference: str, truths: Sequence[Truth]) -> dict[str, Any]:
    missing = [truth.e164 for truth in truths if not truth.valid]
    no_match = {"code": "1001", "description": "no match", "type": "NO-MATCH", "meta": {"phoneNumbers": missing}}
    results = [_result(truth) for truth in truths if truth.valid]
    status = "PARTIAL_COMPLETE" if missing else "COMPLETE"
    data = {"requestId": reference, "status": status, "results": results}
    return {"data": data, "errors": [no_match] if missing else []}


def _result(truth: Truth) -> dict[str, Any]:
    kinds = {"mobile": "MOBILE", "landline": "FIXED", "voip": "VOIP"}
    dead = truth.line == "disconnected"
    delivered = {"active": "ACTIVE", "disconnected": "DEACTIVATED"}.get(truth.line, "UNKNOWN")
    return {
        "phoneNumber": truth.e164,
        "lineType": truth.word or kinds.get(truth.type, "FIXED"),
        "messagingProvider": truth.carrier,
        "voiceProvider": truth.carrier,
        "countryCodeA3": "USA",
        "deactivationReporter": "carrier" if dead else None,
        "deactivationDate": "2026-05-01T00:00:00Z" if dead else None,
        "deactivationEvent": "DEACTIVATED" if dead else None,
        "latestMessageDeliveryStatus": delivered,
        "latestMessageDeliveryStatusDate": "2026-05-02",
    }
