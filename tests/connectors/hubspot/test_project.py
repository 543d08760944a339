"""The project that HubSpot's command line uploads, and the properties that a project cannot hold."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ringfence.connectors.hubspot import plugin
from ringfence.connectors.hubspot.connector import HubSpotCrm
from ringfence.connectors.hubspot.settings import HubSpotSettings
from ringfence.core.config.mapping import parse_mapping, resolve
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.model.verdicts import CALLABLE, Status
from ringfence.core.ports.service_address import ServiceAddress

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


HERE = Path(__file__).parent / "shapes"
ADDRESS = ServiceAddress("https://phones.example.com/")


def files(text: str = MAPPING, service: ServiceAddress = ADDRESS) -> Mapping[str, str]:
    shapes: dict[str, ObjectShape] = resolve(parse_mapping(text, "test"), plugin.companion_name)
    return plugin.project(HubSpotSettings(), shapes, service)


def actions(emitted: Mapping[str, str]) -> dict[str, Any]:
    """Return the configuration of each action, by the last part of its path."""
    below = "src/app/workflow-actions/"
    return {
        name.removeprefix(below).removesuffix("-hsmeta.json"): json.loads(text)["config"]
        for name, text in emitted.items()
        if name.startswith(below)
    }


def subscriptions(emitted: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(emitted["src/app/webhooks/webhooks-hsmeta.json"])["config"]["subscriptions"]
    return found


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

    assert {
        "automation",
        "crm.objects.contacts.write",
        "crm.schemas.contacts.write",
        "crm.objects.companies.read",
    } <= set(scopes)
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


@pytest.mark.parametrize("service", [ADDRESS, ServiceAddress()], ids=["public", "unset"])
def test_every_component_has_the_shape_that_hubspot_takes(service: ServiceAddress) -> None:
    emitted = files(service=service)
    components = {name: json.loads(text) for name, text in emitted.items() if name.endswith("-hsmeta.json")}

    for body in components.values():
        Draft202012Validator(json.loads((HERE / f"{body['type']}.json").read_text())).validate(body)

    assert sorted(body["type"] for body in components.values()) == ["app", "webhooks", *["workflow-action"] * 2]
    assert len({body["uid"] for body in components.values()}) == len(components)


def test_the_actions_take_and_give_what_the_contract_says() -> None:
    for action in actions(files()).values():
        inputs = {field["typeDefinition"]["name"]: field for field in action["inputFields"]}

        assert list(inputs) == ["phone", "country", "purpose", "write_back"]
        assert [name for name, field in inputs.items() if field["isRequired"]] == ["phone"]
        assert inputs["phone"]["supportedValueTypes"] == ["STATIC_VALUE", "OBJECT_PROPERTY"]
        assert inputs["write_back"]["typeDefinition"]["type"] == "bool"

        outputs = {field["typeDefinition"]["name"]: field["typeDefinition"] for field in action["outputFields"]}

        assert list(outputs) == [
            "rf_status",
            "rf_callable",
            "rf_reason",
            "rf_e164",
            "rf_line_type",
            "rf_last_screened",
            "rf_checked_by",
        ]
        assert [option["value"] for option in outputs["rf_status"]["options"]] == list(Status)


def test_every_field_and_every_ending_has_words_for_people() -> None:
    for action in actions(files()).values():
        words = action["labels"]["en"]
        inputs = {field["typeDefinition"]["name"] for field in action["inputFields"]}
        outputs = {field["typeDefinition"]["name"] for field in action["outputFields"]}

        assert set(words["inputFieldLabels"]) == set(words["inputFieldDescriptions"]) == inputs
        assert set(words["outputFieldLabels"]) == outputs
        assert {rule["labelName"] for rule in action["executionRules"]} == set(words["executionRules"])
        assert {name for rule in action["executionRules"] for name in rule["conditions"]} <= outputs
        assert set(re.findall(r"{{(\w+)}}", words["actionCardContent"])) <= inputs


def test_hubspot_is_sent_to_the_public_address_exactly() -> None:
    emitted = files()

    assert {name: action["actionUrl"] for name, action in actions(emitted).items()} == {
        "screen": "https://phones.example.com/hubspot/workflow-actions/screen",
        "check-opt-out": "https://phones.example.com/hubspot/workflow-actions/check-opt-out",
    }
    assert "https://phones.example.com/hubspot/webhooks" in emitted["src/app/webhooks/webhooks-hsmeta.json"]
    assert "The address of the service is not set" not in emitted["README.md"]


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:8080"])
def test_where_hubspot_could_not_reach_the_service_the_project_says_so(url: str) -> None:
    emitted = files(service=ServiceAddress(url))

    assert all("replace-with-your-address" in action["actionUrl"] for action in actions(emitted).values())
    assert "The address of the service is not set" in emitted["README.md"]
    assert "RINGFENCE_SERVE__PUBLIC_URL" in emitted["README.md"]


def test_the_webhooks_tell_of_phones_opt_outs_and_the_ends_of_records() -> None:
    told = subscriptions(files())
    contacts = [one for one in told["crmObjects"] if one["objectType"] == "contact"]

    assert {one["subscriptionType"] for one in contacts} == {
        f"object.{event}" for event in ("creation", "deletion", "merge", "restore", "propertyChange")
    }
    assert [one["propertyName"] for one in contacts if "propertyName" in one] == [
        "phone",
        "mobilephone",
        "rf_do_not_call",
    ]
    assert {one["objectType"] for one in told["crmObjects"]} == {"contact", "company"}
    assert told["hubEvents"] == [{"subscriptionType": "contact.privacyDeletion", "active": True}]


def test_consent_and_region_are_watched_and_our_own_properties_are_not() -> None:
    text = """
crm: hubspot
objects:
  contacts:
    phones: {phone: {}}
    region: {field: country}
    consent: {field: phone_consent, given: ['yes'], withdrawn: ['no']}
"""
    emitted = files(text)
    watched = [one["propertyName"] for one in subscriptions(emitted)["crmObjects"] if "propertyName" in one]

    assert watched == ["phone", "phone_consent", "country"]
    assert all(action["objectRequestOptions"] == {"properties": ["country"]} for action in actions(emitted).values())


def test_a_mapping_without_contacts_has_no_actions_for_them() -> None:
    emitted = files("crm: hubspot\nobjects:\n  companies:\n    phones: {phone: {}}\n")

    assert actions(emitted) == {}
    assert subscriptions(emitted)["hubEvents"] == []


def told(rule: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Return what a rule asks for: an output, and the values that do."""
    conditions = rule["conditions"].items()
    return [(name, [wanted] if isinstance(wanted, str) else wanted) for name, wanted in conditions]


@pytest.mark.parametrize(
    ("status", "may"), [(one, may) for one in Status for may in ("true", "false") if may == "false" or one in CALLABLE]
)
def test_an_execution_has_one_ending_which_never_says_more_than_its_outputs(status: Status, may: str) -> None:
    outputs = {"rf_status": status.value, "rf_callable": may}
    for action in actions(files()).values():
        endings = [
            action["labels"]["en"]["executionRules"][rule["labelName"]]
            for rule in action["executionRules"]
            if all(outputs[name] in wanted for name, wanted in told(rule))
        ]

        assert len(endings) == 1
        assert endings[0].startswith("May be called" if may == "true" else "Do not call")
