"""Creating what the mapping needs in a portal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from ringfence.core.errors import FileError, SchemaError
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.crm import SetupStep

from ..http.batches import in_batches
from .client import BATCH, HubSpotClient
from .errors import AnswerError
from .schema import GROUP, GROUP_NAME, Schema, define_all

_GROUP_KIND = "property group"
_PROPERTY_KIND = "property"


def plan_steps(client: HubSpotClient, schema: Schema, shapes: Iterable[ObjectShape]) -> Iterator[SetupStep]:
    """Yield what the portal lacks, a group before its properties. Properties that exist are left as they are."""
    for shape in shapes:
        known = schema.definitions(shape.name)
        missing = [body for body in define_all(shape) if body["name"] not in known]
        if missing and not client.has_group(shape.name, GROUP_NAME):
            yield _step(_GROUP_KIND, shape.name, GROUP)
        for body in missing:
            yield _step(_PROPERTY_KIND, shape.name, body)


def apply_steps(client: HubSpotClient, schema: Schema, steps: Iterable[SetupStep]) -> Iterator[SetupStep]:
    """Create the steps in batches, yielding each when it is done. Raises SchemaError for one that HubSpot refuses."""
    for (kind, name), group in groupby(steps, key=lambda step: (step.kind, step.body["object"])):
        schema.forget(name)
        for part in in_batches(list(group), BATCH):
            if kind == _GROUP_KIND:
                _tolerate_existing(client.create_group, name, part[0].body["definition"])
            else:
                _create_properties(client, schema, name, [step.body["definition"] for step in part])
            yield from part


def emit_steps(shapes: Iterable[ObjectShape], folder: Path) -> list[Path]:
    """Write the request bodies of all that setup creates, and how to send them; return the files written."""
    files: dict[str, str] = {}
    calls = []

    for shape in shapes:
        bodies = {"group": ("groups", GROUP), "properties": ("batch/create", {"inputs": define_all(shape)})}
        for kind, (path, body) in bodies.items():
            name = f"{shape.name}.{kind}.json"
            files[name] = json.dumps(body, indent=2, ensure_ascii=False) + "\n"
            calls.append(f'POST "$HUBSPOT/crm/v3/properties/{shape.name}/{path}" {name}')

    files["README.md"] = _README.format(calls="\n".join(calls))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileError(f"{folder} cannot be written: {error.strerror}.", "Name another folder.") from error

    return [folder / name for name in files]


_README = """\
# Properties for ringfence

Request bodies for HubSpot, for review and for sending by hand. `ringfence setup hubspot` sends the same and leaves out
what exists. The token needs the scope to write schemas of each object, such as `crm.schemas.contacts.write`.

    export HUBSPOT=https://api.hubapi.com HUBSPOT_TOKEN=...
    POST() {{ curl --fail-with-body -H "Authorization: Bearer $HUBSPOT_TOKEN" -H "Content-Type: application/json" \\
        --data @"$2" "$1"; }}

Send them in this order; the group comes before the properties in it:

```sh
{calls}
```
"""


def _step(kind: str, object_name: str, body: Mapping[str, Any]) -> SetupStep:
    return SetupStep(kind, f"{object_name}.{body['name']}", {"object": object_name, "definition": dict(body)})


def _create_properties(client: HubSpotClient, schema: Schema, name: str, bodies: list[dict[str, Any]]) -> None:
    try:
        answer = client.create_properties(name, bodies)
        created = {str(row["name"]) for row in answer.get("results") or ()}
    except AnswerError as error:
        if error.status not in (400, 409):
            raise
        created = set()

    # One name that is taken, perhaps by a run at the same time, makes the batch fail: then each one by itself.
    left = [body for body in bodies if body["name"] not in created]
    for body in left:
        _tolerate_existing(client.create_property, name, body)

    if left:
        _confirm(schema, name, left)


def _confirm(schema: Schema, name: str, bodies: list[dict[str, Any]]) -> None:
    schema.forget(name)
    known = schema.definitions(name)
    for body in bodies:
        if body["name"] not in known:
            raise SchemaError(
                f"HubSpot says that {name}.{body['name']} exists, but does not show it: it is probably archived.",
                "Restore it in HubSpot's settings (Properties, Archived) and run again.",
            )


def _tolerate_existing(create: Any, name: str, body: Mapping[str, Any]) -> None:
    """Call ``create``, and take a conflict to mean that another run has created it already."""
    try:
        create(name, body)
    except AnswerError as error:
        if error.status != 409:
            raise
