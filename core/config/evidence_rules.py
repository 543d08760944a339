"""How calls and messages are weighed, read from a file.

``mappings/evidence.yaml`` comes with ringfence; one of the same name in the user's folder takes its place. What such a
file leaves out is as it is without any rule of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from ..model.evidence_rules import DisconnectedRule, EvidenceRules, SegmentRule, SilentRule, SuspectRule
from .yaml_model import read_model

_PARTS: dict[str, type[BaseModel]] = {
    "suspect": SuspectRule,
    "disconnected": DisconnectedRule,
    "silent": SilentRule,
    "segments": SegmentRule,
}


def parse_evidence_rules(text: str, where: str) -> EvidenceRules:
    """Return the rules in YAML text; ``where`` names its source in errors. Raises MappingError."""
    return read_model(text, EvidenceRules, f"The rules {where}", _known_keys)


def evidence_rules_schema() -> dict[str, Any]:
    """Return the JSON Schema of the file, for editors. ``mappings/evidence.schema.json`` holds it."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **EvidenceRules.model_json_schema()}


def _known_keys(place: Sequence[str]) -> list[str]:
    model = _PARTS.get(place[0], EvidenceRules) if len(place) > 1 else EvidenceRules
    return list(model.model_fields)
