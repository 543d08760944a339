"""Where a person finds a record in the browser."""

from __future__ import annotations

from urllib.parse import quote


def record_link(address: str, object_name: str, record_id: str) -> str:  # noqa: ARG001 - the id alone leads there
    """Return the address of a record's page; ``address`` is the instance URL. Every org leads on from the bare id."""
    return f"{address}/{quote(record_id, safe='')}"
