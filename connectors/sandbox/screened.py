"""What ringfence wrote about the people whom it has screened before: the companion fields of both sandbox CRMs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import phonenumbers
from phonenumbers import PhoneNumberType

from .dataset import Person

LINE_TYPES = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "landline",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The six companions of one phone slot; `last_screened` is aware UTC in whole seconds."""

    status: str
    reason: str
    e164: str | None
    line_type: str | None
    screened_value: str
    last_screened: datetime


def verdicts(person: Person) -> dict[Literal["phone", "mobile"], Verdict]:
    """Return the verdict of each filled slot of a screened person; nothing for a person never screened."""
    if person.screened == "never":
        return {}
    found: dict[Literal["phone", "mobile"], Verdict] = {}
    if person.phone is not None:
        found["phone"] = _verdict(person, person.phone)
    if person.mobile is not None:
        found["mobile"] = _verdict(person, person.mobile)
    return found


def _verdict(person: Person, raw: str) -> Verdict:
    when = person.modified.replace(microsecond=0)
    try:
        number = phonenumbers.parse(raw, person.country)
    except phonenumbers.NumberParseException:
        return Verdict("invalid", "not_a_number: no phone number in this field", None, None, raw, when)
    if any(char.isalpha() for char in raw):
        return Verdict("invalid", "masked: digits are hidden, so this is no number", None, None, raw, when)
    if not phonenumbers.is_possible_number(number):
        return Verdict("invalid", "too_short: not enough digits for a number of its country", None, None, raw, when)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    line_type = LINE_TYPES.get(phonenumbers.number_type(number))
    if line_type is None:
        return Verdict("invalid", "unallocated: no such number has been handed out", e164, "unknown", raw, when)
    if person.opted_out:
        return Verdict("do_not_contact", "opted_out: an opt-out covers this number", e164, line_type, raw, when)
    return Verdict("valid", "allocated: well formed and in the numbering plan", e164, line_type, raw, when)
