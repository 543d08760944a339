"""Which decisions fit an item of the review queue, and what each of them does. Everything here is pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from ..model.review_items import Resolution, ReviewItem, ReviewReason

_ABOUT_NUMBER = (Resolution.OPTED_OUT, Resolution.WRONG_PERSON, Resolution.DISMISS)
_ABOUT_LINE = (Resolution.LIVE, Resolution.DEAD, *_ABOUT_NUMBER)

FITTING: Mapping[ReviewReason, Sequence[Resolution]] = MappingProxyType(
    {
        ReviewReason.FLAG_CLEARED: (Resolution.OPTED_OUT, Resolution.DISMISS, Resolution.LIFT),
        ReviewReason.NEAR_OPT_OUT: _ABOUT_NUMBER,
        ReviewReason.AMBIGUOUS: _ABOUT_NUMBER,
        ReviewReason.CONFLICT: _ABOUT_LINE,
        ReviewReason.SUSPECT: _ABOUT_LINE,
        ReviewReason.SILENT: _ABOUT_LINE,
    }
)
"""How items may be resolved, by what they are about."""

ABOUT_LINES = frozenset((ReviewReason.CONFLICT, ReviewReason.SUSPECT, ReviewReason.SILENT))
"""Reasons that are about the state of a line: nobody has asked for anything, so no clock runs."""


_DOES = {
    Resolution.LIVE: "the next sync calls the number active on {records}, and says by whom",
    Resolution.DEAD: "the next sync calls the number disconnected on {records}, and says by whom",
    Resolution.OPTED_OUT: "the number is blocked{way}, and {records} falls silent with the next sync",
    Resolution.WRONG_PERSON: "the number is called somebody else's on {records}, and stays good on all others",
    Resolution.DISMISS: "nothing changes; only what happens from now on can raise the question again",
}
_DOES_ABOUT_FLAG = {
    Resolution.OPTED_OUT: "the opt-out stands, and its flag stays up",
    Resolution.DISMISS: "nothing changes: the flag stays up",
    Resolution.LIFT: "the opt-out ends, and the flags of every record that holds the number go down",
}


def describe_decisions(item: ReviewItem, records: int) -> dict[Resolution, str]:
    """Return what each decision that fits an item would do, in a sentence; ``records`` are known to hold the number."""
    does = _DOES_ABOUT_FLAG if item.reason is ReviewReason.FLAG_CLEARED else _DOES
    held = {0: "every record that turns out to hold it", 1: "the record that holds it"}
    names = {
        "records": held.get(records, f"each of the {records:,} records that hold it"),
        "way": "" if item.channel.value == "all" else f" for {item.channel.value}",
    }
    told = {resolution: does[resolution].format(**names) for resolution in FITTING[item.reason]}
    if Resolution.WRONG_PERSON in told and not records:
        told[Resolution.WRONG_PERSON] = "it is refused: no record is known to hold the number"
    return told
