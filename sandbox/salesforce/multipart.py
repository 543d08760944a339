"""The multipart body of a request for an ingest job: its description and its data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from email.parser import BytesParser

from .errors import ApiError, unparsable
from .wire import Call


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts `job` (JSON) and `content` (CSV)."""

    job: object
    content: bytes


def is_multipart(call: Call) -> bool:
    """Tell whether a call has a multipart body."""
    return call.headers.get("content-type", "").lower().startswith("multipart/form-data")


def read_parts(call: Call) -> Parts | None:
    """Return the parts of a multipart body, None for any other body; raises ApiError when a part is missing."""
    if not is_multipart(call):
        return None

    head = b"Content-Type: " + call.headers["content-type"].encode("latin-1") + b"\r\n\r\n"
    parts = {
        part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
        for part in BytesParser().parsebytes(head + call.raw).walk()
    }
    job, content = parts.get("job"), parts.get("content")
    if not isinstance(job, bytes) or not isinstance(content, bytes):
        raise ApiError(400, "INVALID_MULTIPART_REQUEST", "The parts job and content are required")

    try:
        return Parts(json.loads(job), content)
    except ValueError:
        raise unparsable("The part job is no JSON") from None
