"""The XML of the Metadata API: one element for each value, in the order in which it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"


def write_document(kind: str, body: Mapping[str, Any]) -> str:
    """Return the document of a component; of a list each member becomes an element of the list's name."""
    inner = "\n".join(_elements(body, 1))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind} xmlns="{NAMESPACE}">\n{inner}\n</{kind}>\n'


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
