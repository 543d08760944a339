"""What Twilio Lookup's bodies say: tables from its words to ours, and the reading of one answer. Nothing is sent here.

A body is judged before its status: a number that cannot exist and a package that failed both come inside a 200.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from ringfence.core.model.axes import Carrier, Evidence, LineState, Outcome, Reassigned, Reassignment
from ringfence.core.numbers import LineType, Validity

from .reading import Reading
from .words import Words, as_text

PACKAGES = ("line_status", "line_type_intelligence")
REASSIGNED = "reassigned_number"

LINE_STATES = {
    "active": LineState.ACTIVE,
    "reachable": LineState.ACTIVE,
    "inactive": LineState.DISCONNECTED,
    "unreachable": LineState.UNREACHABLE,
    "unknown": LineState.UNKNOWN,
}

LINE_TYPES = {
    "mobile": LineType.MOBILE,
    "landline": LineType.LANDLINE,
    "fixedvoip": LineType.VOIP_FIXED,
    "nonfixedvoip": LineType.VOIP_NONFIXED,
    "tollfree": LineType.TOLL_FREE,
    "premium": LineType.PREMIUM,
    "sharedcost": LineType.SHARED_COST,
    "personal": LineType.PERSONAL,
    "pager": LineType.PAGER,
    "uan": LineType.UAN,
    "voicemail": LineType.VOICEMAIL,
    "unknown": LineType.UNKNOWN,
}

REASSIGNMENTS = {"yes": Reassigned.YES, "no": Reassigned.NO, "no_data_available": Reassigned.NO_DATA}

NOT_ENABLED = "60606"
"""The package is not switched on for the account."""

ERRORS = {
    "60600": Outcome.PARTIAL,
    "60601": Outcome.NOT_PERMITTED,  # a Canadian number, and no approval for those
    NOT_ENABLED: Outcome.NOT_PERMITTED,
    "60607": Outcome.NOT_COVERED,
    "60610": Outcome.NOT_COVERED,  # or with no carrier: nobody can tell which
    "60611": Outcome.OUT_OF_CREDIT,
    "60616": Outcome.RATE_LIMITED,
    "60619": Outcome.NOT_COVERED,
    "60626": Outcome.RATE_LIMITED,
}
"""Failures of a package (Twilio's pages on errors 606xx): as the error of a request they say the same as in a 200.

Any other is PARTIAL: this package did not come, and nothing follows from that.
"""

UNBILLED = frozenset({"60601", NOT_ENABLED, "60607", "60611", "60616", "60619", "60626"})
"""Failures of a package that were decided before the network was asked."""


def read_result(body: Mapping[str, Any]) -> Reading:
    """Return what the body of a 200 says; ``valid`` and each package may have failed apart.

    What became of the line status is the outcome. The validation alone, and a package that failed before the network
    was asked, are not billed.
    """
    if body["valid"] is False:
        return _read_invalid(body)

    words = Words()
    status = _package(body, "line_status")
    error, said = _error(status), as_text(status.get("status"))
    line = LineState.UNKNOWN if error else words.read("line_state", said, LINE_STATES, LineState.UNKNOWN)
    others_failed = any(_error(_package(body, name)) for name in (PACKAGES[1], REASSIGNED))
    good = Outcome.PARTIAL if others_failed else Outcome.OK

    return Reading(
        ERRORS.get(error, Outcome.PARTIAL) if error else good,
        error or said,
        Validity.VALID,
        line,
        Evidence.NUMBERING_PLAN if line is LineState.UNKNOWN else Evidence.LIVE_NETWORK,
        line_type=_read_line_type(body, words),
        carrier=_read_carrier(body),
        reassigned=_read_reassigned(body, words),
        paid=_is_billed(body),
        product="Lookup v2",
        unrecognised=tuple(words.unrecognised),
    )


def read_error(code: str) -> Reading:
    """Return what the error of a package in the place of the whole answer says; it is not billed."""
    return Reading(ERRORS[code], code, paid=False)


def is_result(body: Mapping[str, Any]) -> bool:
    """Return whether the body of a 200 is Twilio's, and not the page of whoever stands in between."""
    return isinstance(body.get("valid"), bool)


def is_error(status: int, body: Mapping[str, Any]) -> bool:
    """Return whether the body of a refusal has the shape of Twilio's errors."""
    return isinstance(body.get("code"), int) and body.get("status", status) == status


def reassigned_error(body: Mapping[str, Any]) -> str:
    """Return the error of the package that tells of reassignment; empty for none."""
    return _error(_package(body, REASSIGNED))


def _read_invalid(body: Mapping[str, Any]) -> Reading:
    told = body.get("validation_errors")
    errors = [as_text(error) for error in (told if isinstance(told, list) else ())]
    validity = Validity.POSSIBLE if errors == ["INVALID_BUT_POSSIBLE"] else Validity.INVALID
    return Reading(
        Outcome.OK, ",".join(errors), validity, evidence=Evidence.NUMBERING_PLAN, paid=False, product="Lookup v2"
    )


def _read_line_type(body: Mapping[str, Any], words: Words) -> LineType:
    package = _package(body, "line_type_intelligence")
    raw = None if _error(package) else package.get("type")
    return words.read("line_type", raw, LINE_TYPES, LineType.UNKNOWN)


def _read_carrier(body: Mapping[str, Any]) -> Carrier | None:
    package = _package(body, "line_type_intelligence")
    carrier = Carrier(*(as_text(package.get(f"{name}")) for name in _CARRIER))
    return carrier if any(carrier) else None


_CARRIER = ("carrier_name", "mobile_country_code", "mobile_network_code")


def _read_reassigned(body: Mapping[str, Any], words: Words) -> Reassignment | None:
    """Return whether the number has gone to somebody else, with the day that Twilio says was asked about."""
    package = _package(body, REASSIGNED)
    raw = None if _error(package) else package.get("is_number_reassigned")
    answer = words.read("reassigned", raw, REASSIGNMENTS, Reassigned.NOT_CHECKED)
    day = as_text(package.get("last_verified_date"))
    try:
        since = date.fromisoformat(day[:10])
    except ValueError:
        return None  # an answer about no day says nothing
    return None if answer is Reassigned.NOT_CHECKED else Reassignment(answer, since)


def _is_billed(body: Mapping[str, Any]) -> bool:
    """Return whether a package is billed: not where none came, or each failed before the network was asked."""
    packages = [package for name in (*PACKAGES, REASSIGNED) if (package := _package(body, name))]
    return any(_error(package) not in UNBILLED for package in packages)


def _package(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    package = body.get(name)
    return package if isinstance(package, dict) else {}


def _error(package: Mapping[str, Any]) -> str:
    return as_text(package.get("error_code") or "")
