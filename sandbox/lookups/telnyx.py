"""Telnyx Number Lookup (docs/vendors/lookups.md): one number a call, in the path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from starlette.responses import JSONResponse, Response

from .place import place_of
from .truth import Truth
from .voice import Asked, Refused, Voice, one, problem

TYPES = {"landline": "fixed line", "toll_free": "toll free", "premium": "premium rate"}
NEVER_TOLD = ("altspid", "altspid_carrier_name", "altspid_carrier_type", "city", "lrn", "ocn", "ported_date", "state")


class Telnyx(Voice):
    """Telnyx: a bearer key, and whose number it is; nothing on whether the line is alive."""

    name = "telnyx"
    credentials = ("API_KEY",)
    CODES: ClassVar[Mapping[Refused, tuple[int, str]]] = {
        "auth": (401, "10009"),
        "credit": (402, "20100"),
        "rate": (429, "10011"),
        "permission": (403, "10010"),
        "bad_request": (422, "10015"),
    }

    def is_authorised(self, asked: Asked) -> bool:
        return asked.headers.get("authorization") == f"Bearer {asked.keys['API_KEY']}"

    def numbers(self, asked: Asked) -> Sequence[str] | None:
        head, found, number = asked.path.rpartition("/v2/number_lookup/")
        return one(number) if found and not head else None

    def answer(self, asked: Asked, truths: Sequence[Truth]) -> Response:
        truth = truths[0]
        kind = truth.word or TYPES.get(truth.type, truth.type)
        data = {
            "record_type": "number_lookup",
            "phone_number": truth.e164,
            "national_format": place_of(truth.e164).national if truth.valid else None,
            "country_code": truth.region or None,
            "valid_number": truth.valid,
            "fraud": None,
            "caller_name": None,
            "carrier": _carrier(truth, kind),
            "portability": _portability(truth, kind),
        }
        return JSONResponse({"data": data})

    def refuse(self, why: Refused) -> Response:
        status, code = self.CODES.get(why, (422, "10015"))
        return problem(status, {"errors": [{"code": code, "title": why, "detail": "No."}]})


def _carrier(truth: Truth, kind: str) -> dict[str, Any]:
    """Return whose number it is; what is called the country code of the mobile network is a region in truth."""
    return {
        "name": truth.carrier,
        "normalized_carrier": truth.carrier,
        "type": kind,
        "mobile_country_code": truth.region,
        "mobile_network_code": "01",
        "error_code": None,
    }


def _portability(truth: Truth, kind: str) -> dict[str, Any]:
    told = {"ported_status": "N", "line_type": kind, "spid": "0001"}
    return {**told, "spid_carrier_name": truth.carrier, "spid_carrier_type": None, **dict.fromkeys(NEVER_TOLD)}
