"""What a run counts of each object, and why a record that was read needs nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SkipReason(StrEnum):
    """Why a record that was read needs nothing."""

    FRESH = "fresh"  # what it says about its numbers is younger than the policy's age
    NO_NUMBER = "no_number"  # its phone fields are empty, and so are their companions
    OUT_OF_FILTER = "out_of_filter"  # the mapping's filter leaves it out, and no opt-out concerns it


@dataclass(slots=True)
class Counts:
    """The records of one object; ``screened`` counts slots.

    ``read = skipped_recent + due`` and ``due = written + unchanged + conflicts + failed + deferred``.
    """

    read: int = 0
    due: int = 0
    skipped_recent: int = 0
    screened: int = 0
    written: int = 0
    unchanged: int = 0
    opt_outs_enforced: int = 0
    conflicts: int = 0
    failed: int = 0
    deferred: int = 0
    flags_raised: int = 0
    slots_silenced: int = 0
    phones_rewritten: int = 0  # phone fields that now hold their number in E.164
