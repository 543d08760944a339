"""What a CRM tells of a first sync before there is one: how much there is to read, and what writing would set off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ObjectCount:
    """How much one mapped object holds, by the CRM's own count; None where it does not tell.

    ``records`` are those in the mapping's filter, ``numbers`` the filled phone fields of all records. ``full_reads``
    tells how often a sync that reads everything reads each record, ``unseen`` about how many more there are that these
    credentials do not see.
    """

    object: str
    records: int | None
    numbers: int | None
    full_reads: int = 1
    unseen: int = 0


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many API calls are left today of how many, those left to others aside."""

    left: int
    limit: int


@dataclass(frozen=True, slots=True)
class Automation:
    """What the CRM runs by itself when a record of an object is written: names by kind, such as ``Apex trigger``.

    ``unknown`` holds the kinds that the credentials do not let one see, ``remedy`` what to do about that, and ``where``
    the places at which a person looks at them.
    """

    object: str
    names: dict[str, list[str]] = field(default_factory=dict)
    unknown: Sequence[str] = ()
    remedy: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a sync that reads everything would meet.

    ``read_s`` and ``write_s`` are seconds of one call that reads or writes, as such calls mostly take; ``sight`` says
    where a person grants the sight of records that are unseen.
    """

    counts: Sequence[ObjectCount]
    automation: Sequence[Automation] = ()
    allowance: Allowance | None = None
    read_s: float = 1.0
    write_s: float = 1.0
    sight: str = ""
