"""What Twilio Lookup knows about a number: the body of an answer and its data packages.

Shapes follow Twilio's OpenAPI file and its example bodies (April 2026): every package is a key, null unless it was
requested; a number that cannot exist is a 200 with `valid: false`; a package that failed has an `error_code` inside
the 200.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from hashlib import sha256
from typing import Any, get_args

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult

from .traits import Package
from .unanswered import UNANSWERED

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
WITHOUT_ERRORS = frozenset(PACKAGES[:5])
"""The packages of a valid number whose answers have no list of validation errors; beside the others it is empty."""

ANSWERED = get_args(Package)
"""The packages that an account can have; the others answer with error 60606 (package not enabled)."""

NOT_ENABLED, NO_COUNTRY, NOT_COVERED = 60606, 60607, 60610
FIRST_REASSIGNMENTS = date(2021, 1, 1)
"""Nothing is known of numbers that changed hands before."""

REASSIGNED_SHARE = 10
"""How many of 100 numbers have changed hands, drawn from a hash of the number."""

UNBILLED = frozenset({60601, NOT_ENABLED, NO_COUNTRY, 60611, 60616, 60619, 60626})
"""Errors of a package that cost nothing; which ones do is unverified."""

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


def lookup_body(
    raw: str, region: str | None, fields: list[str], enabled: Collection[str], since: str = ""
) -> dict[str, Any]:
    """Return the body of a lookup, but for its `url`.

    `raw` is the number as it was sent, `region` the ISO 3166 code that a national number is read for (None: US), and
    `fields` are the packages to fill; names that are no package are passed over. One that is not `enabled` has error
    60606 in place of its values. `since` is the `LastVerifiedDate` that reassignment is asked for, as it was sent.
    """
    number, problem = _parsed(raw, region)
    e164 = raw if number is None else phonenumbers.format_number(number, PhoneNumberFormat.E164)
    body: dict[str, Any] = {
        "calling_country_code": None,
        "country_code": None,
        "phone_number": e164,
        "national_format": None,
        "valid": problem is None,
        "validation_errors": [problem] if problem else None,
        **dict.fromkeys(PACKAGES),
    }

    if number is not None and problem is None:
        body |= {
            "calling_country_code": str(number.country_code),
            "country_code": phonenumbers.region_code_for_number(number),
            "national_format": phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL),
        }
        wanted = [name for name in fields if name in PACKAGES]
        body |= {name: _package(name, number, e164, since) for name in wanted}
        body["validation_errors"] = None if WITHOUT_ERRORS.issuperset(wanted) else []
        fail_packages(body, {name: NOT_ENABLED for name in wanted if name not in enabled})

    return body


def fail_packages(body: dict[str, Any], failing: Mapping[str, int]) -> None:
    """Put an error code in the place of the values of those requested packages that fail: name -> code."""
    for name, code in failing.items():
        if body[name] is not None:
            body[name] = {**dict.fromkeys(body[name]), "error_code": code}


def is_billed(body: Mapping[str, Any]) -> bool:
    """Return whether a lookup costs money: a requested package answered, or failed in the network."""
    packages = [body[name] for name in PACKAGES if body[name] is not None]
    return any(package.get("error_code") not in UNBILLED for package in packages)


def _parsed(raw: str, region: str | None) -> tuple[PhoneNumber | None, str | None]:
    """Return the parsed number (None: unreadable) and Twilio's validation error (None: valid)."""
    try:
        number = phonenumbers.parse(raw, region or "US")
    except phonenumbers.NumberParseException as error:
        country = phonenumbers.NumberParseException.INVALID_COUNTRY_CODE
        return None, "INVALID_COUNTRY_CODE" if error.error_type == country else "NOT_A_NUMBER"
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != ValidationResult.IS_POSSIBLE:
        return number, PROBLEMS[reason]
    return number, None if phonenumbers.is_valid_number(number) else "INVALID_BUT_POSSIBLE"


def _package(name: str, number: PhoneNumber, e164: str, since: str) -> dict[str, Any]:
    if name in UNANSWERED:
        return {**dict.fromkeys(UNANSWERED[name]), "error_code": NOT_ENABLED}
    if name == "line_status":
        status = line_status_of(e164)
        return {"status": status, "error_code": None if status else NOT_COVERED}
    if name == "reassigned_number":
        return _reassigned(number, e164, since)

    kind = LINE_TYPES.get(phonenumbers.number_type(number), "unknown")
    carrier = f"Sandbox {kind} carrier" if kind in WITH_CARRIER else None

    return {
        "mobile_country_code": "001" if kind == "mobile" else None,
        "mobile_network_code": "01" if kind == "mobile" else None,
        "carrier_name": carrier,
        "type": kind,
        "error_code": None,
    }


def _reassigned(number: PhoneNumber, e164: str, since: str) -> dict[str, Any]:
    """Return whether a number has changed hands since a day (YYYYMMDD); only the United States are covered."""
    told: dict[str, Any] = {"last_verified_date": None, "is_number_reassigned": None, "error_code": None}
    if phonenumbers.region_code_for_number(number) != "US":
        return told | {"error_code": NO_COUNTRY}
    try:
        day = datetime.strptime(since, "%Y%m%d").date()  # noqa: DTZ007 -- a day, not a time
    except ValueError:
        return told | {"is_number_reassigned": "no_data_available"}

    draw = int.from_bytes(sha256(f"reassigned {e164}".encode()).digest()[:4]) % 100
    answer = "yes" if draw < REASSIGNED_SHARE else "no"
    known = day >= FIRST_REASSIGNMENTS
    return told | {"last_verified_date": str(day), "is_number_reassigned": answer if known else "no_data_available"}


def line_status_of(e164: str) -> str | None:
    """Return the line status of an E.164 number, always the same one; None where no carrier has it."""
    draw = int.from_bytes(sha256(e164.encode()).digest()[:4]) % 100
    for state, share in STATES:
        if draw < share:
            return state
        draw -= share
    raise AssertionError("the shares of STATES add up to 100")
