"""What Melissa's Global Phone is asked, and what its result codes say.

A record has no field for type or status: both stand in its codes, several joined by commas. The key goes into the body,
and so into no URL. An error of the service stands in ``TransmissionResults`` of a 200.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ringfence.core.model.axes import Carrier, Evidence, LineState, Outcome
from ringfence.core.numbers import LineType, Validity
from ringfence.core.ports.lookup import Lookup
from ringfence.core.ports.services import Services

from .exchange import Exchange, Reply, Request
from .http_lookup import HttpLookup
from .joining import Numbers
from .melissa_settings import BATCH, NAME, PROFILE, MelissaSettings, Verify
from .provider_settings import reveal
from .reading import Reading
from .refusals import Refusal, refusal_by_status
from .words import as_text

PATH = "/v4/WEB/GlobalPhone/doGlobalPhone"

SERVICE_CODES = {
    "SE01": Outcome.PROVIDER_ERROR,
    "GE01": Outcome.BAD_REQUEST,
    "GE02": Outcome.BAD_REQUEST,
    "GE03": Outcome.BAD_REQUEST,
    "GE04": Outcome.AUTH_FAILED,
    "GE05": Outcome.AUTH_FAILED,
    "GE06": Outcome.AUTH_FAILED,
    "GE07": Outcome.BAD_REQUEST,
    "GE08": Outcome.NOT_PERMITTED,
    "GE09": Outcome.AUTH_FAILED,
    "GE10": Outcome.AUTH_FAILED,
    "GE11": Outcome.AUTH_FAILED,
    "GE12": Outcome.AUTH_FAILED,
    "GE13": Outcome.AUTH_FAILED,
    "GE14": Outcome.OUT_OF_CREDIT,
}
"""Codes of the whole transmission. GE26, that names of callers are not enabled, concerns nothing that is asked."""

INVALID_CODES = frozenset({"PE01", "PE03", "PE05", "PE09"})
OUR_INPUT_CODES = frozenset({"PE02", "PE04", "PE06", "PE08", "PE10"})

LINE_TYPES = {
    "PS07": LineType.MOBILE,
    "PS08": LineType.LANDLINE,
    "PS09": LineType.VOIP,
    "PS13": LineType.TOLL_FREE,
    "PS14": LineType.SPECIAL,
    "PS15": LineType.OTHER,
    "PS16": LineType.UNKNOWN,
}

_TOLD_ELSEWHERE = frozenset(
    {"PS01", "PS02", "PS03", "PS06", "PS10", "PS11", "PS12", "PS17", "PS20", "PS21", "PS22", "PS31"}
)
_TIMEOUT = "PS30"
_KNOWN = INVALID_CODES | OUR_INPUT_CODES | LINE_TYPES.keys() | _TOLD_ELSEWHERE | {_TIMEOUT}


def connect(settings: MelissaSettings, services: Services) -> Lookup:
    """Return the connector; no call is made."""
    exchange = Exchange(NAME, PROFILE.title, settings.base_url, services, pace=settings.pace)
    (key,) = reveal(settings.license_key)
    dialect = MelissaDialect(key, settings.verify)
    return HttpLookup(PROFILE, exchange, dialect, services, price=settings.price, size=BATCH, threads=4)


class MelissaDialect:
    """See :class:`ringfence.connectors.lookups.http_lookup.Dialect`."""

    def __init__(self, key: str, verify: Verify) -> None:
        self._key = key
        self._verify = verify

    def ask(self, numbers: Sequence[str]) -> Request:
        """Return the request about up to 100 numbers; the record's id is its place."""
        records = [{"RecordID": str(place), "PhoneNumber": number} for place, number in enumerate(numbers)]
        body = {
            "CustomerID": self._key,
            "Options": f"VerifyPhone:{self._verify.value.title()}",
            "Records": records,
        }
        return Request("POST", PATH, json=body, headers={"Accept": "application/json"})

    def read(self, numbers: Sequence[str], reply: Reply) -> Mapping[str, Reading] | Refusal | None:
        """Return what each record's codes say."""
        for code in as_text(reply.mapping.get("TransmissionResults")).upper().split(","):
            if (outcome := SERVICE_CODES.get(code.strip())) is not None:
                return Refusal(outcome, code.strip(), paid=outcome is Outcome.PROVIDER_ERROR)
        if reply.status != 200:
            return None if reply.is_html else refusal_by_status(reply)
        records = reply.mapping.get("Records")
        if not isinstance(records, list):
            return None

        found = {}
        strangers = 0
        for record in records:
            place = as_text(record.get("RecordID")).strip() if isinstance(record, dict) else ""
            if place.isdecimal() and int(place) < len(numbers):
                found[numbers[int(place)]] = self._read(record)
            else:
                strangers += 1
        Numbers(PROFILE.title, numbers).tell_strangers(strangers)
        return found

    def _read(self, record: Mapping[str, Any]) -> Reading:
        codes = [code for each in as_text(record.get("Results")).upper().split(",") if (code := each.strip())]
        present, premium = frozenset(codes), self._verify is Verify.PREMIUM
        line_type = next((LINE_TYPES[code] for code in codes if code in LINE_TYPES), LineType.UNKNOWN)
        carrier = as_text(record.get("Carrier"))
        common: dict[str, Any] = {
            "line_type": line_type,
            "carrier": Carrier(carrier) if carrier else None,
            "product": f"Global Phone {self._verify.value}",
            "unrecognised": tuple(("validity", code[:10]) for code in codes if code not in _KNOWN),
        }
        said = ",".join(codes)
        if not codes:
            return Reading(Outcome.PROVIDER_ERROR, "no result", **common)
        if present & INVALID_CODES:
            return Reading(Outcome.OK, said, Validity.INVALID, evidence=Evidence.ROUTING_DB, **common)
        if present & OUR_INPUT_CODES:
            return Reading(Outcome.BAD_REQUEST, said, **common)
        if "PS17" in present:
            line, evidence = LineState.ACTIVE, Evidence.LIVE_NETWORK
        elif "PS22" in present:
            # Only Premium asks the line, and that at most 180 days ago.
            line, evidence = LineState.LIKELY_ACTIVE, Evidence.LIVE_NETWORK if premium else Evidence.ROUTING_DB
        elif "PS21" in present:
            line, evidence = LineState.LIKELY_ACTIVE, Evidence.ROUTING_DB
        else:
            line, evidence = LineState.UNKNOWN, Evidence.ROUTING_DB
        valid = present & {"PS01", "PS02", "PS03", "PS06", "PS17", "PS20", "PS21", "PS22"}
        outcome = Outcome.OK
        if _TIMEOUT in present:
            outcome = Outcome.PARTIAL if valid else Outcome.TIMEOUT  # what its database has is told all the same
        return Reading(outcome, said, Validity.VALID if valid else Validity.UNKNOWN, line, evidence, **common)
