"""Two end states of an account's contacts, compared: what differs, and what of that a lost answer accounts for.

Whoever is killed takes the answers along that were on their way. Those numbers may have been paid for and are not
bought again unasked: their slots say so, and what an answer would have said of them is all that may differ.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

AT_ONCE = 8
"""More questions than these one worker never has on their way to a provider."""

_VERDICT = re.compile(r"(?P<slot>RF_\w+?)_(?:Status|Reason|Line_Type)__c")
"""The fields of Salesforce that hold what an answer says of a slot."""

_LOST = re.compile(r"inconclusive: \w+ \(answer lost\) could not tell whether the line is live\b")


@dataclass(slots=True)
class Difference:
    """How one end state differs from another: the numbers whose answer was ``lost``, and ``others`` in words."""

    lost: set[str] = field(default_factory=set)
    others: list[str] = field(default_factory=list)


def find_difference(expected: Path, found: Path) -> Difference:
    """Compare two files that ``contact_lines.py`` has written.

    The verdict on a slot may differ where the found one says that its answer was lost, and the expected one does not.
    """
    difference = Difference()
    with expected.open(encoding="utf-8") as ours, found.open(encoding="utf-8") as theirs:
        for one, other in zip_longest(ours, theirs):
            if one != other:
                _compare(json.loads(one or "[null, {}]"), json.loads(other or "[null, {}]"), difference)
    return difference


def _compare(expected: list[Any], found: list[Any], difference: Difference) -> None:
    (record_id, before), (found_id, after) = expected, found
    if record_id != found_id:
        difference.others.append(f"{record_id} in the place of {found_id}")
        return

    slots = {match["slot"] for name in after if (match := _VERDICT.fullmatch(name))}
    lost = {slot for slot in slots if _is_lost(after, slot) and not _is_lost(before, slot)}
    difference.lost |= {after[f"{slot}_E164__c"] for slot in lost}
    for name in sorted(before.keys() | after.keys()):
        match = _VERDICT.fullmatch(name)
        if before.get(name) != after.get(name) and not (match and match["slot"] in lost):
            difference.others.append(f"{name} of {record_id} is {after.get(name)!r}, not {before.get(name)!r}")


def _is_lost(row: dict[str, Any], slot: str) -> bool:
    """Return whether the slot says of a number that its answer was lost, and no more than its plan knows besides."""
    says_so = _LOST.match(row.get(f"{slot}_Reason__c", "")) is not None
    return says_so and row.get(f"{slot}_Status__c") == "valid" and bool(row.get(f"{slot}_E164__c"))
