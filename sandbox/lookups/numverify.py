"""NumVerify (docs/vendors/lookups.md): one number a call, the key in the URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from starlette.responses import JSONResponse, Response

from .place import place_of
from .truth import Truth
from .voice import Asked, Refused, Voice, one

PLACE = ("local_format", "international_format", "country_prefix", "country_code", "country_name", "location")


class Numverify(Voice):
    """NumVerify: refusals come inside a 200, and a number that does not exist with empty texts."""

    name = "numverify"
    credentials = ("ACCESS_KEY",)
    CODES: ClassVar[Mapping[Refused, tuple[int, str]]] = {
        "auth": (101, "invalid_access_key"),
        "credit": (104, "usage_limit_reached"),
        "rate": (106, "rate_limit_reached"),
        "permission": (105, "function_access_restricted"),
        "bad_request": (210, "no_phone_number_provided"),
    }

    def is_authorised(self, asked: Asked) -> bool:
        return asked.query.get("access_key") == asked.keys["ACCESS_KEY"]

    def numbers(self, asked: Asked) -> Sequence[str] | None:
        return one(asked.query.get("number")) if asked.path == "/numverify/validate" else None

    def answer(self, asked: Asked, truths: Sequence[Truth]) -> Response:
        truth = truths[0]
        told = {"valid": truth.valid, "number": truth.digits}
        if not truth.valid:
            return JSONResponse({**told, **dict.fromkeys(PLACE, ""), "carrier": "", "line_type": None})

        kinds = {"toll_free": "toll_free", "premium": "premium_rate", "pager": "paging"}
        place = place_of(truth.e164)
        where = (place.national_digits, truth.e164, f"+{place.calling_code}", place.iso2, place.name, "")
        kind = truth.word or kinds.get(truth.type, truth.type)
        return JSONResponse(
            {**told, **dict(zip(PLACE, where, strict=True)), "carrier": truth.carrier, "line_type": kind}
        )

    def refuse(self, why: Refused) -> Response:
        code, kind = self.CODES.get(why, (103, "invalid_api_function"))
        return JSONResponse({"success": False, "error": {"code": code, "type": kind, "info": "No."}})
