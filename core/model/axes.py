"""The separate facts that a lookup can tell about a number, each an axis of its own, so that none hides another.

A provider often mixes four things in one field: whether the number can exist, what state its line is in, who may be
called, and what became of the call to the provider. They are kept apart here; the status is derived from them in
:mod:`ringfence.core.model.verdicts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    """What became of the question to the provider. Only OK and PARTIAL tell anything about the number."""

    OK = "ok"
    PARTIAL = "partial"  # some of what was asked for did not come
    PENDING = "pending"  # the answer is still to come
    NOT_COVERED = "not_covered"  # the provider can never tell about this number
    NOT_PERMITTED = "not_permitted"  # our account may not ask this
    RATE_LIMITED = "rate_limited"
    OUT_OF_CREDIT = "out_of_credit"
    AUTH_FAILED = "auth_failed"
    BAD_REQUEST = "bad_request"
    PROVIDER_ERROR = "provider_error"
    TIMEOUT = "timeout"


class LineState(StrEnum):
    """The state of the line. The likely ones are an estimate: how much they weigh depends on their evidence."""

    ACTIVE = "active"
    LIKELY_ACTIVE = "likely_active"
    DISCONNECTED = "disconnected"
    LIKELY_DISCONNECTED = "likely_disconnected"
    SUSPENDED = "suspended"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


class Evidence(StrEnum):
    """How a fact came to be known, from weak to strong."""

    FORMAT = "format"
    NUMBERING_PLAN = "numbering_plan"
    ROUTING_DB = "routing_db"
    VENDOR_ASSERTED = "vendor_asserted"
    STATISTICAL = "statistical"
    CARRIER_FEED = "carrier_feed"
    LIVE_NETWORK = "live_network"
    DELIVERY_RECEIPT = "delivery_receipt"
    HUMAN = "human"

    @property
    def strength(self) -> int:
        """Return a number that is greater for stronger evidence."""
        return _STRENGTH[self]


_STRENGTH = {evidence: place for place, evidence in enumerate(Evidence)}


class Ported(StrEnum):
    """Whether the number has moved to another carrier; the assumed ones were inferred."""

    YES = "yes"
    NO = "no"
    ASSUMED_YES = "assumed_yes"
    ASSUMED_NO = "assumed_no"
    UNKNOWN = "unknown"


class Reassigned(StrEnum):
    """Whether the number has gone to another person since a date."""

    YES = "yes"
    NO = "no"
    NO_DATA = "no_data"
    NOT_CHECKED = "not_checked"


class RiskLevel(StrEnum):
    """How risky a provider finds the number."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    UNKNOWN = "unknown"


class Reassignment(NamedTuple):
    """Whether the number has gone to another person since the day ``since``: the answer means nothing without it."""

    answer: Reassigned
    since: date


class Carrier(NamedTuple):
    """Who carries the number now, and who did at first; empty where it was not told. ``mcc`` and ``mnc`` are digits."""

    name: str = ""
    mcc: str = ""
    mnc: str = ""
    original_name: str = ""
    original_mccmnc: str = ""


@dataclass(frozen=True, slots=True)
class Risk:
    """A provider's judgement of risk: a score from 0 to 100 or None, a level, and flags such as ``disposable``."""

    score: int | None = None
    level: RiskLevel = RiskLevel.UNKNOWN
    flags: tuple[str, ...] = ()


class Axis(StrEnum):
    """What a provider can tell about a number (docs/contract.md, section 4, `providers`)."""

    VALIDITY = "validity"
    LINE_STATE = "line_state"
    LINE_TYPE = "line_type"
    CARRIER = "carrier"
    PORTED = "ported"
    REASSIGNED = "reassigned"
    RISK = "risk"
