"""What is known about a number offline: the values that `read_number` returns.

`PlanMatch` and `Number` are named tuples: millions are made, and a frozen dataclass takes four times as long to make.
"""

from enum import StrEnum
from typing import NamedTuple


class Validity(StrEnum):
    """How far a number exists by the numbering plan: `possible` has a length that exists in a range not allocated."""

    VALID = "valid"
    POSSIBLE = "possible"
    INVALID = "invalid"
    UNKNOWN = "unknown"


class LineType(StrEnum):
    """What a number is used for, as far as the numbering plan or a lookup provider tells."""

    MOBILE = "mobile"
    LANDLINE = "landline"
    FIXED_OR_MOBILE = "fixed_or_mobile"
    VOIP = "voip"
    VOIP_FIXED = "voip_fixed"
    VOIP_NONFIXED = "voip_nonfixed"
    TOLL_FREE = "toll_free"
    PREMIUM = "premium"
    SHARED_COST = "shared_cost"
    PERSONAL = "personal"
    PAGER = "pager"
    UAN = "uan"
    VOICEMAIL = "voicemail"
    SATELLITE = "satellite"
    SPECIAL = "special"
    OTHER = "other"
    UNKNOWN = "unknown"


class ReasonCode(StrEnum):
    """The fixed list of reasons (docs/contract.md, section 1); each begins a reason text."""

    LIVE = "live"
    ALLOCATED = "allocated"
    NOT_A_NUMBER = "not_a_number"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    BAD_COUNTRY_CODE = "bad_country_code"
    UNALLOCATED = "unallocated"
    MASKED = "masked"
    AMBIGUOUS = "ambiguous"
    NO_REGION = "no_region"
    OUT_OF_SERVICE = "out_of_service"
    SUSPENDED = "suspended"
    UNREACHABLE = "unreachable"
    PROVIDER_INVALID = "provider_invalid"
    REASSIGNED = "reassigned"
    WRONG_PERSON = "wrong_person"
    OPTED_OUT = "opted_out"
    HISTORY = "history"
    INCONCLUSIVE = "inconclusive"


class PlanMatch(NamedTuple):
    """What the numbering plan says about one run of digits.

    `e164` is set when the number is valid or possible; `region` is an ISO 3166 code, or "001" for a calling code that
    belongs to no country.
    """

    validity: Validity
    reason: ReasonCode
    e164: str | None = None
    region: str | None = None
    line_type: LineType = LineType.UNKNOWN

    @property
    def valid(self) -> bool:
        """True when the number is allocated and well formed."""
        return self.validity is Validity.VALID

    @property
    def at_least_possible(self) -> bool:
        """True when the length exists in the numbering plan."""
        return self.e164 is not None


class Number(NamedTuple):
    """The verdict on one phone field.

    `repairs` are phrases of :mod:`ringfence.core.numbers.repairs`. `others` are the E.164 forms of further numbers in
    the same field, which are counted and never screened. `covers` is what an opt-out on the field covers: every valid
    number that it may be read as, in E.164 and the screened one first; where nobody can tell what the field holds, the
    identical field too, as :func:`~ringfence.core.numbers.covers.cell_key` names it. It is empty for what cannot exist.
    """

    raw: str
    e164: str | None
    region: str | None
    line_type: LineType
    validity: Validity
    reason: ReasonCode
    extension: str | None
    repairs: tuple[str, ...]
    others: tuple[str, ...]
    covers: tuple[str, ...]

    def all_e164s(self) -> tuple[str, ...]:
        """Return the keys by which an opt-out on the field is found: `covers`, the screened number first."""
        return self.covers
