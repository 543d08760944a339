"""What Twilio Lookup's bodies say: tables from its words to ours, and the reading of one answer. Nothing is sent here.

A body is judged before its status: a number that cannot exist and a package that failed both come inside a 200.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ringfence.core.model.answers import AnswerKind
from ringfence.core.numbers import Validity

PACKAGES = ("line_status", "line_type_intelligence")

LINE_STATES = {"active": "active", "reachable": "active", "inactive": "disconnected", "unreachable": "unreachable"}
"""Twilio's line status -> line state (docs/contract.md, section 1). Whatever else it says adds nothing."""

LINE_TYPES = {
    "mobile": "mobile",
    "landline": "landline",
    "fixedVoip": "voip_fixed",
    "nonFixedVoip": "voip_nonfixed",
    "tollFree": "toll_free",
    "premium": "premium",
    "sharedCost": "shared_cost",
    "personal": "personal",
    "pager": "pager",
    "uan": "uan",
    "voicemail": "voicemail",
}
"""Twilio's line type -> line type (docs/contract.md, section 1); any other is `unknown`."""

NOT_ENABLED = "60606"
"""The package is not switched on for the account."""

OUT_OF_CREDIT = "60611"
"""The quota of the package is used up: no number can be answered."""

REQUEST_RATE_CODES = frozenset({"429", "20429"})
"""Too many requests of the account: the request itself was refused."""

RATE_CODES = REQUEST_RATE_CODES | {"60616", "60626"}
"""Too many requests, of the account, of the package or for one number: the answer may come another time."""

UNBILLED_CODES = frozenset({"60601", NOT_ENABLED, "60607", OUT_OF_CREDIT, "60619", *RATE_CODES})
"""Failures of a package that were decided before the network was asked."""

PACKAGE_CODES = UNBILLED_CODES - REQUEST_RATE_CODES | {"60600", "60610"}
"""Failures of a package: as the error of a request, whatever its status, they say the same as inside a 200."""


class Reading(NamedTuple):
    """What a body says about a number, in the terms of :class:`ringfence.core.model.answers.Answer`."""

    kind: AnswerKind
    code: str
    validity: Validity = Validity.UNKNOWN
    line: str | None = None
    line_type: str | None = None
    paid: bool = True


def read_result(body: Mapping[str, Any]) -> Reading:
    """Return what the body of a 200 says; ``valid`` and each package may have failed apart.

    The validation alone, and a package that failed before the network was asked, are not billed.
    """
    if body["valid"] is False:
        return Reading(
            AnswerKind.KNOWN, ",".join(body.get("validation_errors") or ()), validity=Validity.INVALID, paid=False
        )

    status = body.get("line_status") or {}
    if error := str(status.get("error_code") or ""):
        return read_error(error)._replace(validity=Validity.VALID, line_type=_line_type(body), paid=_is_billed(body))

    said = str(status.get("status") or "")
    line = LINE_STATES.get(said)
    kind = AnswerKind.KNOWN if line else AnswerKind.INCONCLUSIVE
    return Reading(kind, said, validity=Validity.VALID, line=line, line_type=_line_type(body), paid=_is_billed(body))


def read_error(code: str) -> Reading:
    """Return what an error code in the place of the line status says: try again later, or nothing more to learn."""
    passing = code in RATE_CODES or code == OUT_OF_CREDIT
    return Reading(AnswerKind.FAILED if passing else AnswerKind.INCONCLUSIVE, code, paid=False)


def is_cut(content: bytes) -> bool:
    """Return whether content that is no JSON is the beginning of one: an answer that was cut off on its way."""
    return content.lstrip().startswith(b"{")


def is_result(body: Mapping[str, Any]) -> bool:
    """Return whether the body of a 200 is Twilio's, and not the page of whoever stands in between."""
    return isinstance(body.get("valid"), bool)


def is_error(status: int, body: Mapping[str, Any]) -> bool:
    """Return whether the body of a refusal has the shape of Twilio's errors."""
    return isinstance(body.get("code"), int) and body.get("status", status) == status


def _is_billed(body: Mapping[str, Any]) -> bool:
    """Return whether a package is billed: not where none came, or each failed before the network was asked."""
    packages = [package for name in PACKAGES if (package := body.get(name))]
    return any(str(package.get("error_code") or "") not in UNBILLED_CODES for package in packages)


def _line_type(body: Mapping[str, Any]) -> str | None:
    package = body.get("line_type_intelligence") or {}
    if package.get("type") and not package.get("error_code"):
        return LINE_TYPES.get(str(package["type"]), "unknown")
    return None
