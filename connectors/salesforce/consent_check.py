"""The org's own word on calls, beside ours: what its Consent API says of some records that ringfence holds callable.

It joins records by their links to an Individual and answers with the least permissive preference, over the whole org
and not just over what the user sees (docs/vendors/salesforce.md, section 4). It knows no phone numbers, so that it
stands in for nothing here; a record that it refuses and we do not is worth a person's look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ringfence.core.errors import RefusedError
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.model.verdicts import Status
from ringfence.core.ports.crm import Finding, Level

from .client import SalesforceClient
from .errors import QueryTimeoutError
from .fields import STAMP
from .individuals import LINKS
from .paging import read_first
from .schema import Described
from .soql import Query, any_of, base_conditions, literal

SUBJECT = "Consent API"

SAMPLE = 40
"""Records that are asked about in all; their ids fit into one address."""

NAMED = 5
"""Records that a warning names at most."""

_HELD = (Status.VALID, Status.ACTIVE)
_REMEDY = "Look at the records that are linked with them by an Individual: a flag or a consent there says no."
_NO_ACCESS = "Nothing else depends on it. The user may ask with the permission Allow User Access to Privacy Data."


def check_consents(
    client: SalesforceClient, shapes: Mapping[str, ObjectShape], known: Mapping[str, Mapping[str, Described]]
) -> Iterator[Finding]:
    """Yield where the org says no to calls that we would say yes to, by the latest such records; two calls.

    ``known`` are the described fields by object. Nothing is asked where no record may name an Individual.
    """
    asked = [shape for name, shape in shapes.items() if LINKS.get(name) in known[name]]
    queries = [query for shape in asked if (query := _held(shape, known[shape.name])) is not None]
    if not queries:
        return
    share = max(1, SAMPLE // len(queries))
    queries = [Query(one.object, one.fields, one.conditions, one.order, limit=share) for one in queries]
    try:
        pages = read_first(client, queries, "describe")
        sample = {
            str(row["Id"]): query.object
            for query, page in zip(queries, pages, strict=True)
            if not isinstance(page, QueryTimeoutError)
            for row in page["records"]
        }
        if sample:
            ids = ",".join(sample)
            yield from _compare(sample, client.get("consent/action/phone", "what people consent to", "", ids=ids))
    except RefusedError as error:
        yield Finding(Level.UNKNOWN, SUBJECT, f"it could not be asked. {error.message}", _NO_ACCESS)


def _held(shape: ObjectShape, known: Mapping[str, Described]) -> Query | None:
    """Return the query for the records of which ringfence says that a number may be called, the latest first."""
    fields = [name for name in shape.status_fields if known.get(name, {}).get("filterable")]
    if not fields:
        return None
    statuses = ", ".join(map(literal, _HELD))
    callable_ = any_of(f"{name} IN ({statuses})" for name in fields)
    return Query(shape.name, ("Id",), (*base_conditions(shape), callable_), (f"{STAMP} DESC",))


def _compare(sample: Mapping[str, str], answers: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what the answers say of the sample, id -> object."""
    refused: dict[str, list[str]] = {}
    untold = 0
    for record_id, object_name in sample.items():
        proceed = _proceed(answers.get(record_id))
        if proceed is None:
            untold += 1
        elif not proceed:
            refused.setdefault(object_name, []).append(record_id)

    for object_name, ids in refused.items():
        more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
        message = (
            f"the org's {SUBJECT} says no to calls to {len(ids)} of {len(sample)} records that ringfence holds "
            f"callable: {', '.join(ids[:NAMED])}{more}."
        )
        yield Finding(Level.WARNING, object_name, message, _REMEDY)
    if untold:
        yield Finding(Level.UNKNOWN, SUBJECT, f"it said nothing of {untold} of {len(sample)} records.")
    elif not refused:
        yield Finding(Level.OK, SUBJECT, f"it agrees on {len(sample)} records that ringfence holds callable.")


def _proceed(answer: Any) -> bool | None:
    """Return whether a record may be called by its answer; None where that is an error, or something else."""
    told = answer.get("proceed") if isinstance(answer, dict) else None
    if not isinstance(told, dict) or str(told.get("phoneResult", "Success")) != "Success":
        return None
    return {"true": True, "false": False}.get(str(told.get("phone")).lower())
