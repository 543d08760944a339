"""`/search?q=`: SOSL, as far as looking a few words up goes (SOQL and SOSL Reference, "SOSL Syntax").

A row is found by the words that it holds at this moment; the search index of the service lags behind by minutes.
"""

from __future__ import annotations

import re

from .errors import ApiError
from .query import world_of
from .schema import TEXT_TYPES
from .soql.found import Found, show
from .soql.run import run_query
from .state import OrgState
from .table import Row
from .wire import Answer, Call

_SOSL = re.compile(
    r"\s*FIND\s*\{(?P<words>(?:[^{}\\]|\\.)*)\}(?:\s+IN\s+(?P<scope>\w+)\s+FIELDS)?"
    r"(?:\s+RETURNING\s+(?P<returning>.+?))?(?:\s+LIMIT\s+(?P<limit>\d+))?\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
_RETURNED = re.compile(r"\s*(?P<name>\w+)\s*(?:\((?P<inner>.*)\))?\s*\Z", re.DOTALL)
_CLAUSE = re.compile(r"\s(?=(?:WHERE|ORDER\s+BY|LIMIT)\s)", re.IGNORECASE)
_SEARCHED = ("Account", "Contact", "Lead", "Campaign")
_TYPES: dict[str, frozenset[str]] = {
    "ALL": TEXT_TYPES,
    "NAME": TEXT_TYPES,
    "EMAIL": frozenset({"email"}),
    "PHONE": frozenset({"phone"}),
    "SIDEBAR": TEXT_TYPES,
}
MOST = 2_000


def search(org: OrgState, call: Call) -> Answer:
    """Answer GET of a search: the rows that hold all of its words, object by object."""
    text = call.query.get("q", "")
    match = _SOSL.match(text)
    if match is None:
        raise _malformed(f"unexpected token: '{text.strip().split(' ', 1)[0]}'")

    words = re.sub(r"\\(.)", r"\1", match["words"]).strip()
    if len(words.strip("*?")) < 2:
        raise _malformed(f"search term must be longer than one character: {words}")
    scope = (match["scope"] or "ALL").upper()
    if scope not in _TYPES:
        raise _malformed(f"unexpected token: '{match['scope']}'")

    records: list[dict[str, object]] = []
    for part in _split(match["returning"]) if match["returning"] else _SEARCHED:
        found = _ask(org, part)
        rows = [row for row in found.rows if _holds(org, found.object_name, row, scope, words)]
        records += show(found, call.url, rows)
    return Answer(200, {"searchRecords": records[: int(match["limit"] or MOST)]})


def _ask(org: OrgState, part: str) -> Found:
    """Return the rows of one object that a search may return, by its own conditions."""
    match = _RETURNED.match(part)
    if match is None:
        raise _malformed(f"unexpected token: '{part.strip()}'")
    fields, *clauses = _CLAUSE.split(" " + (match["inner"] or "Id"), maxsplit=1)
    soql = f"SELECT {fields.strip() or 'Id'} FROM {match['name']} {' '.join(clauses)}"  # noqa: S608  # a query of the stand-in's own
    return run_query(soql, world_of(org), with_deleted=False)


def _split(returning: str) -> list[str]:
    """Return the parts between commas outside of brackets."""
    parts, depth = [""], 0
    for character in returning:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _holds(org: OrgState, object_name: str, row: Row, scope: str, words: str) -> bool:
    fields = [each for each in org.access(object_name).visible.values() if each.type in _TYPES[scope]]
    names = [each.name for each in fields if scope != "NAME" or "name" in each.name.lower()]
    text = " ".join(str(row[name]) for name in names if row[name] is not None)
    return all(re.search(_pattern(word), text, re.IGNORECASE) for word in words.strip('"').split())


def _pattern(word: str) -> str:
    plain = "".join({"*": r"\w*", "?": r"\w"}.get(character) or re.escape(character) for character in word)
    return rf"(?<!\w){plain}(?!\w)"


def _malformed(message: str) -> ApiError:
    return ApiError(400, "MALFORMED_SEARCH", message)
