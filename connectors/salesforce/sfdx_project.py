"""All that set-up creates as an sfdx source project, which an administrator can review, deploy and take back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from string import Template
from typing import Any

from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.service_address import ServiceAddress

from .list_views import LIST_VIEW, define_list_view
from .metadata_xml import write_document
from .permission_sets import EDIT, PERMISSION_SETS, READ
from .schema import CUSTOM, define_all, own_companions
from .settings import SalesforceSettings

_ROOT = "force-app/main/default"

Component = tuple[str, str, str, str]
"""Type and name of a component, its file below the project, and the file's text."""


def project_files(
    settings: SalesforceSettings,
    shapes: Mapping[str, ObjectShape],
    service: ServiceAddress,  # noqa: ARG001  # the plugin's signature
) -> dict[str, str]:
    """Return the project for these objects, file name -> text."""
    version = settings.api_version
    components = [*_fields(shapes), *_list_views(shapes), *_permission_sets(shapes)]
    parts = [(kind, name) for kind, name, _, _ in components]
    borrowed = _borrowed(shapes)

    return {
        "README.md": _read_me(shapes, borrowed),
        "sfdx-project.json": _sfdx_project(version),
        "manifest/package.xml": _manifest(parts, version),
        "manifest/nothing.xml": _manifest([], version),
        "manifest/destructiveChanges.xml": _manifest([part for part in parts if part[1] not in borrowed], version),
        **{file: text for _, _, file, text in components},
    }


def _fields(shapes: Mapping[str, ObjectShape]) -> Iterator[Component]:
    for name, shape in shapes.items():
        for field, metadata in define_all(shape).items():
            if field.endswith(CUSTOM):
                file = f"{_ROOT}/objects/{name}/fields/{field}.field-meta.xml"
                text = write_document("CustomField", {"fullName": field, **_as_source(metadata)})
                yield "CustomField", f"{name}.{field}", file, text


def _list_views(shapes: Mapping[str, ObjectShape]) -> Iterator[Component]:
    for name, shape in shapes.items():
        if (body := define_list_view(shape)) is not None:
            file = f"{_ROOT}/objects/{name}/listViews/{LIST_VIEW}.listView-meta.xml"
            yield "ListView", f"{name}.{LIST_VIEW}", file, write_document("ListView", body)


def _permission_sets(shapes: Mapping[str, ObjectShape]) -> Iterator[Component]:
    for spec in PERMISSION_SETS:
        grants = [
            {"editable": spec.editable, "field": f"{name}.{field}", "readable": True}
            for name, shape in shapes.items()
            for field in spec.fields(shape)
        ]
        body = {
            "description": spec.description,
            "fieldPermissions": grants,
            "hasActivationRequired": False,
            "label": spec.label,
        }
        file = f"{_ROOT}/permissionsets/{spec.name}.permissionset-meta.xml"
        yield "PermissionSet", spec.name, file, write_document("PermissionSet", body)


def _as_source(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata as source files spell it: by name, and a picklist value's name is its ``fullName`` there."""
    body = dict(sorted(metadata.items()))
    if "valueSet" in body:
        values = [
            {"fullName": value["valueName"], "default": value["default"], "label": value["label"]}
            for value in body["valueSet"]["valueSetDefinition"]["value"]
        ]
        body["valueSet"] = {"restricted": False, "valueSetDefinition": {"sorted": False, "value": values}}

    return body


def _sfdx_project(version: str) -> str:
    settings = {
        "packageDirectories": [{"path": "force-app", "default": True}],
        "name": "ringfence",
        "namespace": "",
        "sourceApiVersion": version,
    }
    return json.dumps(settings, indent=2) + "\n"


def _manifest(parts: Sequence[tuple[str, str]], version: str) -> str:
    kinds = sorted({kind for kind, _ in parts})
    types = [{"members": sorted(name for each, name in parts if each == kind), "name": kind} for kind in kinds]
    return write_document("Package", {"types": types, "version": version})


def _borrowed(shapes: Mapping[str, ObjectShape]) -> list[str]:
    """Return the companions that bear names of the mapping's own, and so may have been the org's before."""
    return [
        f"{name}.{field}"
        for name, shape in shapes.items()
        for field in shape.companion_fields()
        if field.endswith(CUSTOM) and field not in own_companions(shape)
    ]


def _read_me(shapes: Mapping[str, ObjectShape], borrowed: Sequence[str]) -> str:
    text = resources.files(__package__).joinpath("sfdx_readme.md").read_text("utf-8")
    flags = [f"`{name}.{field}`" for name, shape in shapes.items() for field in shape.flag_fields()]
    return Template(text).substitute(
        fields=sum(field.endswith(CUSTOM) for shape in shapes.values() for field in shape.companion_fields()),
        objects=", ".join(shapes),
        slots="; ".join(f"{name}: {', '.join(slot.field for slot in shape.slots)}" for name, shape in shapes.items()),
        flags=", ".join(flags) or "none",
        edit=EDIT.name,
        read=READ.name,
        list_view=LIST_VIEW,
        borrowed=_warn_of(borrowed) if borrowed else "",
    )


def _warn_of(borrowed: Sequence[str]) -> str:
    names = ", ".join(f"`{name}`" for name in borrowed)
    return (
        f"\nThe mapping names these fields itself: {names}. Where the org has one of them already, take its file out "
        "before\nyou deploy: it would be changed to what the file says. The way back leaves them alone.\n"
    )
