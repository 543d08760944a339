"""All that set-up creates as a HubSpot project, and what a project cannot hold as bodies of requests beside it.

A project's components are apps and what belongs to them: cards, settings pages, webhooks, workflow actions, events and
objects of the app's own. Properties of contacts are none of them, so that they are created through the API.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from string import Template
from typing import Any

from ringfence.core.model.shapes import ObjectShape

from .errors import object_scope, schema_scope
from .schema import GROUP, GROUP_NAME, define_all, kept_opt_outs
from .settings import HubSpotSettings

NAME = "ringfence"
PLATFORM = "2026.03"
"""The version of HubSpot's developer platform that the project is for; each is supported for 18 months."""


def project_files(settings: HubSpotSettings, shapes: Mapping[str, ObjectShape]) -> dict[str, str]:  # noqa: ARG001  # the plugin's signature
    """Return the project for these objects, file name -> text."""
    bodies = {
        f"properties/{name}.{kind}.json": _json(body)
        for name, shape in shapes.items()
        for kind, body in (("group", GROUP), ("properties", {"inputs": define_all(shape)}))
    }
    return {
        "README.md": _read_me(shapes),
        "hsproject.json": _json({"name": NAME, "srcDir": "src", "platformVersion": PLATFORM}),
        "src/app/app-hsmeta.json": _json(_app(shapes)),
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
        "requiredScopes": ["oauth", *needed_scopes(shapes)],
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


def _read_me(shapes: Mapping[str, ObjectShape]) -> str:
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
    )


def _json(body: Any) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"
