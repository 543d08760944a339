"""What waits for a person's decision, and how a person may decide."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from .blocks import Channel


class ReviewReason(StrEnum):
    """Why something waits for a person (docs/contract.md, section 4)."""

    SUSPECT = "suspect"
    SILENT = "silent"
    CONFLICT = "conflict"
    NEAR_OPT_OUT = "near_opt_out"
    FLAG_CLEARED = "flag_cleared"  # an opt-out flag was cleared by hand, and the mapping keeps it up
    AMBIGUOUS = "ambiguous"

    __hash__ = str.__hash__


class Resolution(StrEnum):
    """What a person decides (docs/contract.md, section 4), or how an item has ended by itself."""

    LIVE = "live"
    DEAD = "dead"
    WRONG_PERSON = "wrong_person"
    OPTED_OUT = "opted_out"  # the opt-out stands
    LIFT = "lift"  # it has ended
    DISMISS = "dismiss"  # nothing changes
    ANSWERED = "answered"  # newer evidence has answered it: nobody has decided

    __hash__ = str.__hash__


ITSELF = "ringfence"
"""The author of what nobody has decided."""


class ReviewItem(NamedTuple):
    """Something that waits for a person's decision about a number, on a record or wherever it stands.

    ``org`` is the key of the CRM's account, empty with ``object`` and ``record_id`` where it is about no record.
    ``number`` is E.164, or the key of a cell that nobody can read, and empty where it was erased; ``number_key`` is
    that under which the state keeps it. ``since`` and ``resolved_at`` are aware UTC moments. ``resolution`` is None
    while it waits; once it is resolved, ``author`` and ``note`` tell by whom and why. ``agreed_by`` is who was the
    first to agree to a lift that takes two.
    """

    id: int
    org: str
    reason: ReviewReason
    object: str
    record_id: str
    channel: Channel
    number: str
    since: datetime
    evidence: str
    resolution: Resolution | None = None
    number_key: bytes = b""
    resolved_at: datetime | None = None
    author: str = ""
    note: str = ""
    agreed_by: str = ""
