"""What is true of a number, whichever provider is asked: they agree, as far as each of them can tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import phonenumbers
from phonenumbers import PhoneNumberType

from ..twilio.packages import line_status_of

LINES = {"active": "active", "reachable": "active", "inactive": "disconnected", "unreachable": "unreachable"}
TYPES = {
    PhoneNumberType.FIXED_LINE: "landline",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "mobile",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PAGER: "pager",
}


@dataclass(frozen=True, slots=True)
class Truth:
    """One number: whether it exists, its `line` (active, disconnected, suspended, unreachable, unknown), its type.

    `word` is what a provider says in the place of its own word for the line, for words that nobody knows.
    """

    e164: str
    valid: bool
    line: str
    type: str
    carrier: str
    region: str
    word: str = ""

    @property
    def digits(self) -> str:
        """The number without its plus."""
        return self.e164.lstrip("+")


def truth_of(e164: str, told: Mapping[str, Any]) -> Truth:
    """Return what is true of an E.164 number; `told` replaces parts of it."""
    try:
        number = phonenumbers.parse(e164)
        valid = phonenumbers.is_valid_number(number)
    except phonenumbers.NumberParseException:
        return replace(Truth(e164, False, "unknown", "unknown", "", ""), **told)

    kind = TYPES.get(phonenumbers.number_type(number), "unknown")
    line = LINES.get(line_status_of(e164) or "", "unknown") if valid else "unknown"
    region = phonenumbers.region_code_for_number(number) or ""
    return replace(Truth(e164, valid, line, kind, f"Sandbox {kind} carrier", region), **told)
