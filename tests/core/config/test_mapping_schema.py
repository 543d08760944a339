"""The JSON Schema that editors read beside the mappings."""

from __future__ import annotations

import json
from importlib import resources

import pytest

from ringfence.core.config.mapping import mapping_schema

FOLDER = resources.files("ringfence.mappings")


def test_the_schema_file_says_what_the_models_say() -> None:
    kept = json.loads(FOLDER.joinpath("mapping.schema.json").read_text("utf-8"))
    assert kept == mapping_schema(), "write json.dumps(mapping_schema(), indent=2) to mappings/mapping.schema.json"


@pytest.mark.parametrize("name", ["salesforce", "hubspot"])
def test_the_built_in_mappings_point_to_it(name: str) -> None:
    first = FOLDER.joinpath(f"{name}.yaml").read_text("utf-8").splitlines()[0]
    schema = first.rpartition("$schema=")[2]

    assert FOLDER.joinpath(schema).is_file()
