"""Which statuses a restricted picklist keeps from records of some record types, by what the user interface offers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ringfence.core.errors import RefusedError, StoppedError
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.model.values import Companion
from ringfence.core.ports.crm import Finding, Level

from ..http.preflight import missing_statuses
from ..http.retry import without_patience
from .client import SalesforceClient
from .fields import companions_of
from .schema import Described

MOST = 10
"""Record types of an object that are looked at, a call for each and each status field."""


def check_record_types(
    client: SalesforceClient, shape: ObjectShape, described: Described, known: Mapping[str, Described]
) -> Iterator[Finding]:
    """Yield what record types leave out of restricted status picklists: rows with such a status are refused."""
    types = [each for each in described.get("recordTypeInfos") or () if not each.get("master") and each.get("active")]
    there = [name for name in companions_of(shape, Companion.STATUS) if known.get(name, {}).get("restrictedPicklist")]

    for field in there if types else ():
        subject = f"{shape.name}.{field}"
        lacking = dict(_lacking(client, shape.name, field, types[:MOST]))
        unknown = [name for name, missing in lacking.items() if missing is None]
        for name, missing in lacking.items():
            if missing:
                message = f"the record type {name} leaves out {missing}: rows of it with such a status are refused."
                place = f"Setup > Object Manager > {shape.name} > Record Types > {name} > {field} > Edit"
                yield Finding(Level.WARNING, subject, message, f"Add them: {place}.")
        if unknown or len(types) > MOST:
            message = f"which statuses {', '.join(unknown) or 'the other record types'} leave out of it."
            yield Finding(Level.UNKNOWN, subject, message, f"Setup > Object Manager > {shape.name} > Record Types.")


def _lacking(
    client: SalesforceClient, name: str, field: str, types: Sequence[Described]
) -> Iterator[tuple[str, str | None]]:
    """Yield (name of a record type, the statuses that it leaves out); None where the org does not tell."""
    for each in types:
        path = f"ui-api/object-info/{name}/picklist-values/{each['recordTypeId']}/{field}"
        try:
            with without_patience():
                answer = client.get(path, f"the values of {field}", "values")
        except (RefusedError, StoppedError):
            yield str(each["name"]), None
            continue
        yield str(each["name"]), missing_statuses({str(value.get("value")) for value in answer["values"]})
