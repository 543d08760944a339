"""What it means that a run had nothing to do, and what would give it something."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ringfence.core.numbers import ReasonCode
from ringfence.core.runs.counts import SkipReason
from ringfence.core.runs.summary import Summary

from .phrases import count, name_day


def find_hints(summary: Summary) -> Iterator[str]:
    """Yield a sentence for each thing that a person may wonder about after a run that went to its end."""
    if summary.end is None and summary.complete and summary.objects and not summary.total("due"):
        yield _say_nothing_due(summary)
    if national := summary.reason_codes[ReasonCode.NO_REGION]:
        yield (
            f"{count(national, 'slot')} with a national number of an unknown country: `unknown`. Set a default, as in "
            "RINGFENCE_DEFAULT_REGION=US, or name the country's field in the mapping, as in "
            "`region: {field: MailingCountry, default: US}`. Then `ringfence sync CRM --full` reads them again."
        )


def _say_nothing_due(summary: Summary) -> str:
    read = summary.total("read")
    skipped = {reason: summary.skip_reasons[reason.value] for reason in SkipReason}

    if not read:
        return _say_nothing_read(summary)
    if skipped[SkipReason.OUT_OF_FILTER] == read:
        return "0 due: all records are outside the mapping's `filter`. Look at it if some should be screened."
    if skipped[SkipReason.NO_NUMBER] == read:
        return "0 due: the phone fields of all records are empty. Look at the mapping's `phones`."
    return f"0 due: {_say_fresh(skipped[SkipReason.FRESH], summary.fresh_until)}{_say_others(skipped)}."


def _say_nothing_read(summary: Summary) -> str:
    names = " and no ".join(summary.objects)
    if summary.full:
        return (
            f"0 due: the account holds no {names} that its user may see. If there should be some, look at the user's "
            "permissions."
        )
    before = summary.last_complete_sync
    since = f" since {name_day(before)}, {before:%H:%M} UTC" if before else " since the last sync"
    return f"0 due: nothing changed{since}, and no verdict has come of age."


def _say_fresh(records: int, until: datetime | None) -> str:
    if until is None:
        return f"{count(records, 'record')} that need nothing"
    are = "is" if records == 1 else "are"
    return f"{count(records, 'record')} {are} fresh until {name_day(until)}, when the first verdict comes of age"


def _say_others(skipped: dict[SkipReason, int]) -> str:
    others = {"have no number": SkipReason.NO_NUMBER, "are outside the mapping's `filter`": SkipReason.OUT_OF_FILTER}
    return "".join(f"; {skipped[reason]:,} {what}" for what, reason in others.items() if skipped[reason])
