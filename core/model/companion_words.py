"""What the companion fields are called and say, in words for the people who see them in a CRM."""

from __future__ import annotations

from dataclasses import dataclass

from .values import Companion
from .verdicts import CALLABLE, Status


@dataclass(frozen=True, slots=True)
class CompanionWords:
    """What stands behind the phone field's name in a companion's label, and what the companion says."""

    label: str
    help: str


def status_label(status: Status) -> str:
    """Return a status as people read it: ``Do not contact``."""
    return status.value.replace("_", " ").capitalize()


def describe_companion(slot: str) -> str:
    """Return whose a companion of the phone field ``slot`` is, for those who look after the CRM."""
    return f"Kept by ringfence for the phone field {slot}; what people enter here is overwritten."


def _list_labels(*, callable_: bool) -> str:
    *most, last = [status_label(status) for status in Status if (status in CALLABLE) is callable_]
    return f"{', '.join(most)} or {last}"


COMPANION_WORDS = {
    Companion.STATUS: CompanionWords(
        "status",
        f"What screening says about the number. {_list_labels(callable_=False)}: do not call. "
        f"{_list_labels(callable_=True)}: may be called.",
    ),
    Companion.REASON: CompanionWords("status reason", "Why the status is what it is: a code, then a sentence."),
    Companion.E164: CompanionWords("in E.164", "The number in its international form, as diallers take it."),
    Companion.LINE_TYPE: CompanionWords("line type", "The kind of line: mobile, landline, voip, toll_free and so on."),
    Companion.SCREENED_VALUE: CompanionWords(
        "screened value",
        "What the phone field held when it was screened. Where it holds something else by now, the status is about an "
        "earlier number, until the next run.",
    ),
    Companion.LAST_SCREENED: CompanionWords("last screened", "When the evidence behind the status was obtained."),
}
