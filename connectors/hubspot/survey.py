"""What a first sync of a portal would meet: the portal's own counts, and what its calls of the day leave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ringfence.core.errors import RefusedError, StoppedError
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.survey import Allowance, Automation, ObjectCount, Survey

from ..http.retry import without_patience
from .client import HubSpotClient
from .fields import ID
from .filters import Group
from .paging import Searcher
from .schema import Schema

READ_S, WRITE_S = 0.5, 1.5
"""Seconds of a call that reads 100 records, and of one that updates them; estimated."""

WORKFLOWS = "workflow"


def survey_portal(
    client: HubSpotClient, schema: Schema, shapes: Mapping[str, ObjectShape], scopes: Mapping[str, Group]
) -> Survey:
    """Return what a sync that reads everything would meet; what the portal does not tell is left out."""
    counts = [_count(client, schema, shape, scopes[name]) for name, shape in shapes.items()]
    automation = [_tell_of_workflows(name) for name in shapes]
    return Survey(counts, automation, _read_allowance(client), READ_S, WRITE_S)


def _count(client: HubSpotClient, schema: Schema, shape: ObjectShape, scope: Group) -> ObjectCount:
    searcher = Searcher(client, shape.name, (ID,), "describe")
    try:
        with without_patience():
            known = schema.definitions(shape.name)
            records = searcher.count([scope] if scope else [])
            numbers = sum(_filled(searcher, shape, known))
    except (RefusedError, StoppedError):
        return ObjectCount(shape.name, None, None)
    return ObjectCount(shape.name, records, numbers)


def _filled(searcher: Searcher, shape: ObjectShape, known: Mapping[str, object]) -> Iterator[int]:
    for slot in shape.slots:
        if slot.field in known:
            yield searcher.count([({"propertyName": slot.field, "operator": "HAS_PROPERTY"},)])


def _tell_of_workflows(name: str) -> Automation:
    """Return that nobody knows the workflows: to list them takes a scope that ringfence does without."""
    return Automation(
        name, {}, (WORKFLOWS,), "Look for enrolment triggers on phone properties.", "HubSpot: Automation > Workflows"
    )


def _read_allowance(client: HubSpotClient) -> Allowance | None:
    return None if (day := client.day) is None else Allowance(*day)
