"""Creating what the mapping needs in a portal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from ringfence.core.errors import SchemaError
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.setup_steps import SetupStep

from ..http.batches import in_batches
from .client import BATCH, HubSpotClient
from .errors import AnswerError
from .property_limits import check_room
from .schema import GROUP, GROUP_NAME, Schema, define_all

GROUP_KIND = "property group"
PROPERTY_KIND = "property"


def plan_steps(client: HubSpotClient, schema: Schema, shapes: Iterable[ObjectShape]) -> list[SetupStep]:
    """Return what the portal lacks, a group before its properties. Properties that exist are left as they are.

    Raises SchemaError where the portal has no room for as many custom properties.
    """
    steps = []
    for shape in shapes:
        known = schema.definitions(shape.name)
        missing = [body for body in define_all(shape) if body["name"] not in known]
        if missing and not client.has_group(shape.name, GROUP_NAME):
            steps.append(_step(GROUP_KIND, shape.name, GROUP))
        steps += [_step(PROPERTY_KIND, shape.name, body) for body in missing]

    if steps:
        wanted = [step.body["object"] for step in steps if step.kind == PROPERTY_KIND]
        check_room(client, {name: wanted.count(name) for name in dict.fromkeys(wanted)})
    return steps


def apply_steps(client: HubSpotClient, schema: Schema, steps: Iterable[SetupStep]) -> Iterator[SetupStep]:
    """Create the steps in batches, yielding each when it is done, with HubSpot's words where it refused it."""
    for (kind, name), group in groupby(steps, key=lambda step: (step.kind, step.body["object"])):
        schema.forget(name)
        for part in in_batches(list(group), BATCH):
            if kind == GROUP_KIND:
                yield from (_create_alone(client.create_group, step) for step in part)
            else:
                yield from _create_properties(client, schema, name, part)


def _step(kind: str, object_name: str, body: Mapping[str, Any]) -> SetupStep:
    shown = f"{body['type']}/{body['fieldType']}" if "fieldType" in body else ""
    content = {"object": object_name, "definition": dict(body)}
    return SetupStep(kind, f"{object_name}.{body['name']}", content, str(body["label"]), shown)


def _create_properties(
    client: HubSpotClient, schema: Schema, name: str, steps: Sequence[SetupStep]
) -> Iterator[SetupStep]:
    try:
        answer = client.create_properties(name, [step.body["definition"] for step in steps])
        created = {str(row["name"]) for row in answer.get("results") or ()}
    except AnswerError as error:
        if error.status not in (400, 409):
            raise
        created = set()

    # One name that is taken, perhaps by a run at the same time, makes the batch fail: then each one by itself.
    left = [step for step in steps if step.body["definition"]["name"] not in created]
    done = {step.name: _create_alone(client.create_property, step) for step in left}
    if done:
        _confirm(schema, name, [step for step in done.values() if not step.refused])
    yield from (done.get(step.name, step) for step in steps)


def _confirm(schema: Schema, name: str, steps: Iterable[SetupStep]) -> None:
    schema.forget(name)
    known = schema.definitions(name)
    for step in steps:
        if step.body["definition"]["name"] not in known:
            raise SchemaError(
                f"HubSpot says that {step.name} exists, but does not show it: it is probably archived.",
                "Restore it in HubSpot's settings (Properties, Archived) and run again.",
            )


def _create_alone(create: Callable[..., Any], step: SetupStep) -> SetupStep:
    """Create one step; a conflict means that another run has created it already."""
    try:
        create(step.body["object"], step.body["definition"])
    except AnswerError as error:
        return step if error.status == 409 else replace(step, refused=error.words or error.message)
    return step
