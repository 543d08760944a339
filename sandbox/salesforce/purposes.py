"""The purpose of a request, which a rule of a faults file may depend on."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

from ..faults import Purpose
from .state import OrgState
from .wire import Call

_FROM = re.compile(r"\bFROM\s+(\w+)", re.IGNORECASE)
_SCHEMA = re.compile(r"/tooling/|/sobjects(/\w+(/describe)?)?\Z")
_RECORDS = re.compile(r"/(query|queryAll|composite|sobjects|jobs)(/|\Z)")
_RETRIEVE = re.compile(r"/composite/sobjects/\w+\Z")


def purpose_of(org: OrgState, method: str, path: str, call: Call) -> Purpose:
    """Return the purpose of a request; `path` has no API version.

    A query of users, permissions or the organization is about the schema. A Composite call is a write where one of its
    subrequests is.
    """
    if path.startswith("/services/oauth2/"):
        return "sign_in"
    if path == "/composite":
        return "write" if any(_is_write(*each) for each in _subrequests(call.raw)) else "read"
    if path in ("/query", "/queryAll"):
        return _query_purpose(org, call.query.get("q", ""))
    if _SCHEMA.match(path) and (method == "GET" or "/tooling/" in path):
        return "schema"
    if not _RECORDS.match(path):
        return "other"

    return "write" if _is_write(method, path) else "read"


def _query_purpose(org: OrgState, soql: str) -> Purpose:
    source = _FROM.search(soql)
    name = org.object_named(source[1]) if source else None
    return "schema" if name is not None and org.table(name).spec.plain else "read"


def _is_write(method: str, path: str) -> bool:
    reads = method == "GET" or _RETRIEVE.search(path) or path.startswith("/jobs/query")
    return not reads


def _subrequests(raw: bytes) -> list[tuple[str, str]]:
    """Return method and path of each subrequest; none for an unreadable body, which the route refuses later."""
    try:
        given = json.loads(raw)["compositeRequest"]
        return [(str(entry["method"]).upper(), urlsplit(str(entry["url"])).path) for entry in given]
    except (ValueError, KeyError, TypeError):
        return []
