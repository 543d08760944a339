"""The project that HubSpot's command line uploads, and the properties that a project cannot hold."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from ringfence.connectors.hubspot import plugin
from ringfence.connectors.hubspot.connector import HubSpotCrm
from ringfence.connectors.hubspot.settings import HubSpotSettings
from ringfence.core.config.mapping import parse_mapping, resolve
from ringfence.core.model.shapes import ObjectShape

BARE = pytest.mark.parametrize("sandbox", [{"contacts": 20, "bare": True}], indirect=True)
MAPPING = """
crm: hubspot
objects:
  contacts:
    phones: {phone: {}, mobilephone: {normalize: true}}
    opt_out: {field: rf_do_not_call}
  companies:
    phones: {phone: {}}
"""


def files(text: str = MAPPING) -> Mapping[str, str]:
    shapes: dict[str, ObjectShape] = resolve(parse_mapping(text, "test"), plugin.companion_name)
    return plugin.project(HubSpotSettings(), shapes)


def test_the_project_is_one_private_app_with_the_scopes_of_every_object() -> None:
    emitted = files()

    assert json.loads(emitted["hsproject.json"]) == {
        "name": "ringfence",
        "srcDir": "src",
        "platformVersion": "2026.03",
    }

    app = json.loads(emitted["src/app/app-hsmeta.json"])

    assert (app["type"], app["config"]["distribution"], app["config"]["auth"]["type"]) == ("app", "private", "static")

    scopes = app["config"]["auth"]["requiredScopes"]

    assert {"crm.objects.contacts.write", "crm.schemas.contacts.write", "crm.objects.companies.read"} <= set(scopes)
    assert len(scopes) == len(set(scopes))


@BARE
def test_the_bodies_are_those_that_setup_sends(crm: HubSpotCrm) -> None:
    text = "crm: hubspot\nobjects:\n  contacts:\n    phones: {phone: {}, mobilephone: {}}\n"
    emitted = json.loads(
        files(f"{text}    opt_out: {{field: rf_do_not_call}}\n")["properties/contacts.properties.json"]
    )

    planned = [step.body["definition"] for step in crm.plan_setup() if step.kind == "property"]

    assert emitted["inputs"] == planned
    assert all(body["label"] and body["description"] for body in planned)


def test_the_page_inside_has_the_commands_and_leaves_opt_outs_alone() -> None:
    page = files()["README.md"]

    assert page.index("hs project validate") < page.index("hs project upload") < page.index("ringfence setup hubspot`")
    assert 'POST "properties/companies/groups" properties/companies.group.json' in page
    assert 'DELETE "properties/contacts/rf_phone_status"' in page
    assert 'DELETE "properties/contacts/rf_do_not_call"' not in page
    assert "$create" not in page
