"""The shapes of a mapping reach another process as they were."""

from __future__ import annotations

import json

import pytest

from ringfence.apps.registry import crm_plugins
from ringfence.apps.settings import load_settings
from ringfence.apps.wiring import Wiring
from ringfence.connectors.memory import companion_name
from ringfence.core.config.mapping import parse_mapping, resolve
from ringfence.core.model.shape_codec import shapes_from_json, shapes_to_json

EVERYTHING = """
crm: memory
objects:
  people:
    phones: {phone: {normalize: true}, mobile: {companions: {status: mine}}}
    opt_out: {field: optout, true_values: [true, "yes", 1]}
    region: {field: country, default: US}
    channel: {field: source}
    tier: {field: tier}
    consent: {field: consent, given: [yes, ok], withdrawn: [no], at: since, purposes: [marketing]}
    filter: [{propertyName: a, operator: EQ, value: b}]
    spread: slots
    spread_limit: 3
"""


def test_every_part_of_a_mapping_comes_through() -> None:
    shapes = resolve(parse_mapping(EVERYTHING, "test"), companion_name, "DE")

    assert shapes_from_json(json.loads(json.dumps(shapes_to_json(shapes)))) == shapes


@pytest.mark.parametrize("crm", sorted(crm_plugins()))
def test_so_do_the_built_in_mappings(crm: str) -> None:
    shapes = Wiring(load_settings()).shapes(crm)

    assert shapes_from_json(json.loads(json.dumps(shapes_to_json(shapes)))) == shapes
