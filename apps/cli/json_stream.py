"""One JSON document that is written piece by piece, because a list in it may be too long to hold."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from ..printable import to_json
from .output import output
from .streams import encodes_any


def write_document(head: Mapping[str, Any], lists: Mapping[str, Iterable[Any]]) -> None:
    """Print a document of what ``head`` holds and, behind it, of each list, an item a line; nothing but in JSON mode.

    The lists are gone through in their order, and not kept.
    """
    if not output.json:
        return

    ascii_only = not encodes_any(sys.stdout)
    begun = to_json(head, ascii_only=ascii_only).removesuffix("}")
    for name, items in lists.items():
        output.write(f"{begun}{', ' if begun != '{' else ''}{to_json(name)}: [")
        before = ""
        for item in items:
            output.write(before + to_json(item, ascii_only=ascii_only))
            before = ","
        begun = "]"
    output.write(f"{begun}}}")
