"""The fields and the permission set as an sfdx source project that an administrator can review and deploy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from ringfence.core.errors import FileError
from ringfence.core.model.shapes import ObjectShape

from .schema import CUSTOM, define_all
from .setup import PERMISSION_SET, PERMISSION_SET_LABEL, PERMISSION_SET_TEXT, granted_fields

_ROOT = "force-app/main/default"
_NAMESPACE = "http://soap.sforce.com/2006/04/metadata"


def write_project(shapes: Mapping[str, ObjectShape], folder: Path, api_version: str) -> list[Path]:
    """Write the project into the folder and return its files; deploy it with `sf project deploy start`.

    A file that is there with the same content is left alone. Raises FileError, before anything is written, for one with
    another content, and for a folder that cannot be written.
    """
    files = {folder / name: text for name, text in _project(shapes, api_version).items()}
    try:
        for path, text in files.items():
            if path.exists() and path.read_text(encoding="utf-8") != text:
                raise FileError(f"{path} is there already, with another content.", "Name an empty folder.")
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds no text"
        raise FileError(f"{folder} cannot be written: {reason}.", "Name another folder.") from error

    return list(files)


def _project(shapes: Mapping[str, ObjectShape], api_version: str) -> dict[str, str]:
    settings = {
        "packageDirectories": [{"path": "force-app", "default": True}],
        "namespace": "",
        "sourceApiVersion": api_version,
    }
    files = {"sfdx-project.json": json.dumps(settings, indent=2) + "\n"}

    for name, shape in shapes.items():
        for field, metadata in define_all(shape).items():
            if field.endswith(CUSTOM):
                path = f"{_ROOT}/objects/{name}/fields/{field}.field-meta.xml"
                files[path] = _document("CustomField", {"fullName": field, **_as_source(metadata)})

    files[f"{_ROOT}/permissionsets/{PERMISSION_SET}.permissionset-meta.xml"] = _permission_set(shapes)
    return files


def _permission_set(shapes: Mapping[str, ObjectShape]) -> str:
    grants = [
        {"editable": True, "field": f"{name}.{field}", "readable": True}
        for name, shape in shapes.items()
        for field in granted_fields(shape)
    ]

    body = {
        "description": PERMISSION_SET_TEXT,
        "fieldPermissions": grants,
        "hasActivationRequired": False,
        "label": PERMISSION_SET_LABEL,
    }
    return _document("PermissionSet", body)


def _as_source(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata as source files spell it: a picklist value's name is its ``fullName`` there."""
    body = dict(metadata)
    if "valueSet" in body:
        values = [
            {"fullName": value["valueName"], "default": value["default"], "label": value["label"]}
            for value in body["valueSet"]["valueSetDefinition"]["value"]
        ]
        body["valueSet"] = {"restricted": False, "valueSetDefinition": {"sorted": False, "value": values}}

    return body


def _document(kind: str, body: Mapping[str, Any]) -> str:
    inner = "\n".join(_elements(body, 1))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind} xmlns="{_NAMESPACE}">\n{inner}\n</{kind}>\n'


def _elements(body: Mapping[str, Any], depth: int) -> list[str]:
    lines = []
    for name, value in body.items():
        for item in value if isinstance(value, list) else [value]:
            lines += _element(name, item, depth)
    return lines


def _element(name: str, value: Any, depth: int) -> list[str]:
    indent = "    " * depth
    if isinstance(value, Mapping):
        return [f"{indent}<{name}>", *_elements(value, depth + 1), f"{indent}</{name}>"]
    text = str(value).lower() if isinstance(value, bool) else escape(str(value))
    return [f"{indent}<{name}>{text}</{name}>"]
