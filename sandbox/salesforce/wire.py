"""Requests and answers of the org, independent of the HTTP library, and the formats of times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ..broken_wire import Wire
from .journal import Journal


@dataclass(frozen=True, slots=True)
class Call:
    """One request, or one subrequest of a Composite call.

    `path` has no query and no trailing slash, `raw_uri` is the request target as it came; header names are in lower
    case; `document` is the parsed JSON body; `version` is the API version of the URL, such as `v65.0` (empty outside
    /services/data); `journal` can take back what the call has written.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = b""
    raw_uri: bytes = b""
    document: object = None
    version: str = ""
    journal: Journal = field(default_factory=Journal)

    def with_document(self, document: object) -> Call:
        """Return the same call with its parsed body."""
        return replace(self, document=document)

    def url(self, rest: str) -> str:
        """Return the path of a resource of the same API version; `rest` starts with a slash."""
        return f"/services/data/{self.version}{rest}"

    def auto_assigns(self) -> bool:
        """Tell whether assignment rules may change owners: the default, unless `Sforce-Auto-Assign: FALSE` is sent."""
        return self.headers.get("sforce-auto-assign", "TRUE").strip().upper() != "FALSE"

    def saves_duplicates(self) -> bool:
        """Tell whether rows pass a duplicate rule that alerts: `Sforce-Duplicate-Rule-Header: allowSave=true`."""
        return "allowsave=true" in self.headers.get("sforce-duplicate-rule-header", "").replace(" ", "").lower()


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and extra headers of an answer; `wire` breaks its way to the client.

    The body is JSON, except that a str is a web page, bytes are CSV, and None is no body.
    """

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    wire: Wire | None = None


def stamp_text(moment: datetime) -> str:
    """Return an aware moment as the REST API writes it: whole seconds, UTC, `2026-01-02T03:04:05.000+0000`.

    All stamps share this form, so their texts sort as the moments do.
    """
    return moment.astimezone(UTC).isoformat()[:19] + ".000+0000"


def stamp_moment(text: str) -> datetime:
    """Return the aware UTC moment of a stamp written by stamp_text."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.000%z").astimezone(UTC)


def parse_moment(text: str) -> datetime:
    """Return the aware UTC moment of an ISO 8601 text with a zone, cut to whole seconds.

    Raises ValueError for a text without a zone or of another form.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or "T" not in text:
        raise ValueError("a moment needs a time and a zone")
    return moment.astimezone(UTC).replace(microsecond=0)
