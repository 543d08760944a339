"""What a sync that reads everything costs, by the CRM's own counts; the first one does."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from ringfence.core.ports.crm import Crm
from ringfence.core.ports.survey import Survey
from ringfence.core.screening.forecast import USUAL_PACE
from ringfence.core.screening.prices import price_of

from ..wiring import Wiring
from .lookups import open_lookups

FIXED_CALLS = 8
"""Calls of a run besides its records: log-in, describes, watermarks and the search for opt-outs."""


@dataclass(frozen=True, slots=True)
class FirstSync:
    """What a sync that reads everything takes, at most; None where the CRM does not tell how much it holds.

    ``lookups`` is how many numbers would be looked up, ``cap`` the most that the settings allow a run, by the setting
    ``capped_by``, and ``cost`` what the lookups cost, in ``currency``. ``unpriced`` are the providers whose price is
    not known, with whom nobody can tell the cost. ``calls_for_opt_outs`` are those among the API calls that read every
    record once more, because no query may ask for the opt-out field; every full read needs them.
    ``calls_left`` is what today's allowance of API calls leaves.
    """

    records: int | None
    numbers: int | None
    api_calls: int | None
    calls_for_opt_outs: int
    calls_left: int | None
    calls_a_day: int | None
    providers: tuple[str, ...]
    lookups: int | None
    cap: int | None
    capped_by: str | None
    cost: float | None
    unpriced: tuple[str, ...]
    currency: str
    minutes: int | None

    def to_json(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return asdict(self)


def estimate_first_sync(wiring: Wiring, crm: Crm, survey: Survey) -> FirstSync:
    """Return what a sync that reads everything costs. Raises the errors of the wiring; makes no call."""
    caps = wiring.settings.lookup.caps()
    with open_lookups(wiring.lookups()) as providers:
        names = tuple(each.name for each in providers)
        price = sum(map(price_of, providers))
        unpriced = tuple(each.name for each in providers if each.price is None)

    records = _sum([count.records for count in survey.counts])
    numbers = _sum([count.numbers for count in survey.counts])
    cap, capped_by = caps.allowance(price) or (None, None)
    lookups = _cap(numbers, cap) if names else 0
    reading, writing = _calls(crm, survey) if records is not None else (None, None)

    allowance = survey.allowance
    return FirstSync(
        records=records,
        numbers=numbers,
        api_calls=None if reading is None or writing is None else reading + writing,
        calls_for_opt_outs=_calls_for_opt_outs(crm, survey),
        calls_left=allowance.left if allowance else None,
        calls_a_day=allowance.limit if allowance else None,
        providers=names,
        lookups=lookups,
        cap=cap,
        capped_by=capped_by.value if capped_by else None,
        cost=None if lookups is None or unpriced else round(lookups * price, 2),
        unpriced=unpriced,
        currency=caps.currency,
        minutes=None if reading is None or writing is None else _minutes(survey, reading, writing, lookups or 0),
    )


def _sum(counts: list[int | None]) -> int | None:
    known = [each for each in counts if each is not None]
    return sum(known) if len(known) == len(counts) else None


def _cap(numbers: int | None, cap: int | None) -> int | None:
    if numbers is None or cap is None:
        return numbers if cap is None else cap
    return min(numbers, cap)


def _calls(crm: Crm, survey: Survey) -> tuple[int, int]:
    """Return the calls that read and those that write, where every record is written."""
    reading = writing = 0
    for count in survey.counts:
        records = count.records or 0
        once = crm.fewest_calls(records, 0, full=True)
        reading += once * count.full_reads
        writing += crm.fewest_calls(records, records, full=True) - once
    return reading + FIXED_CALLS, writing


def _calls_for_opt_outs(crm: Crm, survey: Survey) -> int:
    again = [count for count in survey.counts if count.full_reads > 1]
    return sum(crm.fewest_calls(count.records or 0, 0, full=True) for count in again)


def _minutes(survey: Survey, reading: int, writing: int, lookups: int) -> int:
    seconds = reading * survey.read_s + writing * survey.write_s + lookups / USUAL_PACE
    return ceil(seconds / 60)
