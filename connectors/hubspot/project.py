"""What HubSpot needs of ringfence as a HubSpot project: the app, its workflow actions and its webhooks.

A project's components are apps and what belongs to them. Properties of contacts are none of them, so that they are
created through the API: the project has the bodies of those requests beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from string import Template
from typing import Any

from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.service_address import PLACE_HOLDER, ServiceAddress

from .action_definitions import define_actions
from .errors import object_scope, schema_scope
from .schema import GROUP, GROUP_NAME, define_all, kept_opt_outs
from .settings import HubSpotSettings
from .webhook_subscriptions import define_webhooks

NAME = "ringfence"
PLATFORM = "2026.03"
"""The version of HubSpot's developer platform that the project is for; each is supported for 18 months."""


CALLBACKS = "automation"
"""The scope with which the app completes what a workflow waits for."""


def project_files(
    settings: HubSpotSettings,  # noqa: ARG001  # the plugin's signature
    shapes: Mapping[str, ObjectShape],
    service: ServiceAddress,
) -> dict[str, str]:
    """Return the project for these objects and a service at that address, file name -> text."""
    bodies = {
        f"properties/{name}.{kind}.json": _json(body)
        for name, shape in shapes.items()
        for kind, body in (("group", GROUP), ("properties", {"inputs": define_all(shape)}))
    }
    return {
        "README.md": _read_me(shapes, service),
        "hsproject.json": _json({"name": NAME, "srcDir": "src", "platformVersion": PLATFORM}),
        "src/app/app-hsmeta.json": _json(_app(shapes)),
        **{name: _json(body) for name, body in define_actions(shapes, service).items()},
        **{name: _json(body) for name, body in define_webhooks(shapes, service).items()},
        **bodies,
    }


def needed_scopes(shapes: Mapping[str, ObjectShape]) -> list[str]:
    """Return the scopes that a sync needs, and the one with which set-up creates properties."""
    scopes = [
        find(name, access) for name in shapes for find in (object_scope, schema_scope) for access in ("read", "write")
    ]
    return list(dict.fromkeys(scopes))


def _app(shapes: Mapping[str, ObjectShape]) -> dict[str, Any]:
    auth = {
        "type": "static",
        "requiredScopes": ["oauth", CALLBACKS, *needed_scopes(shapes)],
        "optionalScopes": [],
        "conditionallyRequiredScopes": [],
    }
    return {
        "uid": NAME,
        "type": "app",
        "config": {
            "name": NAME,
            "description": "Keeps the phone fields of this account true, and its opt-outs respected.",
            "distribution": "private",
            "auth": auth,
            "permittedUrls": {"fetch": ["https://api.hubapi.com"], "iframe": [], "img": []},
        },
    }


def _read_me(shapes: Mapping[str, ObjectShape], service: ServiceAddress) -> str:
    create, remove, kept = [], [], []
    for name, shape in shapes.items():
        flags = kept_opt_outs(shape)
        kept += [f"`{flag}`" for flag in flags]
        create += [f'POST "properties/{name}/groups" properties/{name}.group.json']
        create += [f'POST "properties/{name}/batch/create" properties/{name}.properties.json']
        remove += [
            f'DELETE "properties/{name}/{body["name"]}"' for body in define_all(shape) if body["name"] not in flags
        ]

    text = resources.files(__package__).joinpath("project_readme.md").read_text("utf-8")
    return Template(text).safe_substitute(
        group=GROUP["label"],
        group_name=GROUP_NAME,
        objects=", ".join(shapes),
        properties=sum(len(define_all(shape)) for shape in shapes.values()),
        schema_scopes=", ".join(f"`{schema_scope(name, 'write')}`" for name in shapes),
        create="\n".join(create),
        remove="\n".join(remove),
        kept=", ".join(kept) or "none",
        address=service.at(),
        address_missing="" if service.is_public else _ADDRESS_MISSING,
    )


_ADDRESS_MISSING = f"""
**The address of the service is not set.** The files say `{PLACE_HOLDER}` in its place.
Set `RINGFENCE_SERVE__PUBLIC_URL` to the https address under which HubSpot reaches `ringfence serve`, and emit the
project anew before you upload it.
"""


def _json(body: Any) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"
