"""All that set-up creates, and what flows need to ask the service, as an sfdx source project.

An administrator can review, deploy and take it back. It is deployed in steps, a manifest each: Salesforce makes the
classes that a flow names when it registers the service, and not every org has Individuals.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.service_address import ServiceAddress

from .individuals import CONSENTS, INDIVIDUAL, LINKS, REFUSALS
from .list_views import LIST_VIEW, define_list_view
from .metadata_xml import write_document
from .permission_sets import INDIVIDUALS, PERMISSION_SETS
from .project_readme import write_read_me
from .schema import CUSTOM, define_all, own_companions
from .service_components import ROOT, Component, access_components, flow_components, read_object
from .settings import SalesforceSettings


def project_files(
    settings: SalesforceSettings, shapes: Mapping[str, ObjectShape], service: ServiceAddress
) -> dict[str, str]:
    """Return the project for these objects and a service at that address, file name -> text."""
    version = settings.api_version
    borrowed = _borrowed(shapes)
    steps = {
        "package": [*_fields(shapes), *_list_views(shapes), *_permission_sets(shapes)],
        "individuals": list(_individuals(shapes)),
        "service": access_components(service) if service.api else [],
        "flows": flow_components(shapes, service, version) if service.api else [],
    }
    parts = [(kind, name) for components in steps.values() for kind, name, _, _ in components]
    gone = [(kind, f"{name}-1" if kind == "Flow" else name) for kind, name in parts if name not in borrowed]

    return {
        "README.md": write_read_me(shapes, borrowed, service, [name for _, name, _, _ in steps["flows"]]),
        "sfdx-project.json": _sfdx_project(version),
        **{
            f"manifest/{step}.xml": _manifest([(kind, name) for kind, name, _, _ in components], version)
            for step, components in steps.items()
            if components
        },
        "manifest/nothing.xml": _manifest([], version),
        "manifest/destructiveChanges.xml": _manifest(gone, version),
        **{file: text for components in steps.values() for _, _, file, text in components},
    }


def _fields(shapes: Mapping[str, ObjectShape]) -> Iterator[Component]:
    for name, shape in shapes.items():
        for field, metadata in define_all(shape).items():
            if field.endswith(CUSTOM):
                file = f"{ROOT}/objects/{name}/fields/{field}.field-meta.xml"
                text = write_document("CustomField", {"fullName": field, **_as_source(metadata)})
                yield "CustomField", f"{name}.{field}", file, text


def _list_views(shapes: Mapping[str, ObjectShape]) -> Iterator[Component]:
    for name, shape in shapes.items():
        if (body := define_list_view(shape)) is not None:
            file = f"{ROOT}/objects/{name}/listViews/{LIST_VIEW}.listView-meta.xml"
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
        file = f"{ROOT}/permissionsets/{spec.name}.permissionset-meta.xml"
        yield "PermissionSet", spec.name, file, write_document("PermissionSet", body)


def _individuals(shapes: Mapping[str, ObjectShape]) -> Iterator[Component]:
    """Yield the permission set for what Individuals refuse, where a mapped object may name one."""
    if not LINKS.keys() & shapes.keys():
        return
    grants = [{"editable": False, "field": f"{INDIVIDUAL}.{name}", "readable": True} for name in sorted(REFUSALS)]
    body = {
        "description": INDIVIDUALS.description,
        "fieldPermissions": grants,
        "hasActivationRequired": False,
        "label": INDIVIDUALS.label,
        "objectPermissions": [read_object(name) for name in sorted((CONSENTS, INDIVIDUAL))],
    }
    file = f"{ROOT}/permissionsets/{INDIVIDUALS.name}.permissionset-meta.xml"
    yield "PermissionSet", INDIVIDUALS.name, file, write_document("PermissionSet", body)


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
