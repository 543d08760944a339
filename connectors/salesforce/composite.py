"""Subrequests of Composite calls: their limits, how they are sent, and how they are answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ringfence.core.errors import MappingError

COLLECTION = 200
"""Records of one sObject Collections update."""

TYPE_RUNS = 10
"""Runs of records of one object that such an update may hold."""

SUBREQUESTS = 25
HEAVY_SUBREQUESTS = 5
"""Subrequests of one Composite call; how many of them may be queries or collections."""

MAX_URI = 16_384

NO_ASSIGNMENT = {"Sforce-Auto-Assign": "FALSE"}
"""Keeps assignment rules from changing the owner on our updates. It is sent with the call and with each subrequest: the
documents name it for both, and leave open whether the call's own reaches its subrequests (salesforce.md, section
2.6)."""

SAVE_DUPLICATES = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
"""Passes duplicate rules that only alert, which a person would click away; rules that block go on blocking
(salesforce.md, section 2.6). It is sent where a phone field itself is rewritten: nothing else of ours can match one."""

_UNQUOTED = "'(),:*!/="
"""What a query may hold as it is, by RFC 3986; the rest of SOQL, ``<`` and ``>`` among it, is quoted."""


@dataclass(frozen=True, slots=True)
class Subrequest:
    """One subrequest of a Composite call; ``path`` is below ``/services/data/vNN.0/``."""

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SubrequestAnswer:
    """The answer to a subrequest; status 0 where the whole answer does not mention it."""

    status: int
    body: Any

    @property
    def ok(self) -> bool:
        """Return whether the subrequest was carried out."""
        return 200 <= self.status < 300


def query_subrequest(soql: str, *, deleted_too: bool = False) -> Subrequest:
    """Return a query as a subrequest. Raises MappingError when it is longer than an address may be."""
    path = f"{'queryAll' if deleted_too else 'query'}?q={quote(soql, safe=_UNQUOTED)}"
    if len(path) + len("/services/data/v00.0/") > MAX_URI:
        raise MappingError(
            f"A query of the mapping has {len(path):,} characters in its address; Salesforce takes {MAX_URI:,}.",
            "Map fewer phone fields on one object, or shorten its filter.",
        )
    return Subrequest("GET", path)
