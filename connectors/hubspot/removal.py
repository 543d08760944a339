"""Taking away what set-up has made in a portal: the companion properties and, once it is empty, their group.

A companion counts as set-up's when it bears the name that set-up gives it. The opt-out property holds what people asked
for, so that it goes only where that is asked for; what the portal had before never goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ringfence.core.errors import RefusedError
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.setup_steps import Kept, Removal, SetupStep

from .client import HubSpotClient
from .errors import AnswerError
from .fields import ID
from .filters import MAX_GROUPS, Filter
from .paging import Searcher
from .schema import GROUP, GROUP_NAME, Definition, Schema, kept_opt_outs, own_companions
from .setup import GROUP_KIND, PROPERTY_KIND


def plan_removal(
    client: HubSpotClient, schema: Schema, shapes: Mapping[str, ObjectShape], *, opt_outs: bool
) -> Removal:
    """Return what is there of set-up, a group after its properties."""
    steps: list[SetupStep] = []
    kept: list[Kept] = []
    records: dict[str, int | None] = {}
    flags: dict[str, int | None] = {}

    for name, shape in shapes.items():
        known = schema.definitions(name)
        going = [field for field in own_companions(shape) if field in known]
        if going:
            records[name] = _count(client, name, [_filled(one) for one in _one_of_each_slot(shape, going)])
        for flag in kept_opt_outs(shape) if opt_outs else ():
            if flag in known:
                going.append(flag)
                up: Filter = {"propertyName": flag, "operator": "EQ", "value": "true"}
                flags[f"{name}.{flag}"] = _count(client, name, [up])

        steps += [_property_step(name, known[field]) for field in going]
        steps += _plan_group(client, name, known, going)
        kept += _kept(shape, set(going))

    return Removal(steps, kept, records, flags)


def apply_removal(client: HubSpotClient, schema: Schema, steps: Iterable[SetupStep]) -> Iterator[SetupStep]:
    """Archive the steps, yielding each when it is gone; one that HubSpot refuses carries its words."""
    refused: set[str] = set()
    for step in steps:
        object_name, name = step.name.split(".", 1)
        if step.kind == GROUP_KIND and object_name in refused:
            continue
        done = _remove(client, step, object_name, name)
        if done.refused:
            refused.add(object_name)
        schema.forget(object_name)
        yield done


def _remove(client: HubSpotClient, step: SetupStep, object_name: str, name: str) -> SetupStep:
    remove = client.delete_group if step.kind == GROUP_KIND else client.delete_property
    try:
        remove(object_name, name)
    except AnswerError as error:
        return step if error.status == 404 else replace(step, refused=error.words or error.message)
    return step


def _property_step(object_name: str, definition: Definition) -> SetupStep:
    shown = f"{definition['type']}/{definition.get('fieldType', '')}"
    return SetupStep(
        PROPERTY_KIND, f"{object_name}.{definition['name']}", None, str(definition.get("label", "")), shown
    )


def _plan_group(
    client: HubSpotClient, object_name: str, known: Mapping[str, Definition], going: Iterable[str]
) -> Iterator[SetupStep]:
    """Yield the group where no other property stays in it."""
    gone = set(going)
    staying = [name for name, one in known.items() if one.get("groupName") == GROUP_NAME and name not in gone]
    if not staying and client.has_group(object_name, GROUP_NAME):
        yield SetupStep(GROUP_KIND, f"{object_name}.{GROUP_NAME}", None, str(GROUP["label"]))


def _kept(shape: ObjectShape, going: set[str]) -> Iterator[Kept]:
    own = set(own_companions(shape))
    for field in shape.companion_fields():
        if field not in own:
            yield Kept(f"{shape.name}.{field}", "the mapping names it itself, so it may be a property of yours.")

    for flag in shape.flag_fields():
        if flag not in going:
            way = " --with-opt-outs takes it too." if flag in kept_opt_outs(shape) else ""
            yield Kept(f"{shape.name}.{flag}", f"it holds people's opt-outs.{way}")


def _one_of_each_slot(shape: ObjectShape, going: Iterable[str]) -> list[str]:
    """Return a property of each slot: the companions of a slot are filled together, and a search has little room."""
    there = set(going)
    found = [next((name for name in slot.companions.values() if name in there), None) for slot in shape.slots]
    return [name for name in found if name is not None]


def _filled(name: str) -> Filter:
    return {"propertyName": name, "operator": "HAS_PROPERTY"}


def _count(client: HubSpotClient, object_name: str, filters: Sequence[Filter]) -> int | None:
    """Return how many records meet any of the filters; None where HubSpot does not tell, or takes not as many."""
    if len(filters) > MAX_GROUPS:
        return None
    try:
        return Searcher(client, object_name, (ID,), "setup").count([(one,) for one in filters])
    except RefusedError:
        return None
