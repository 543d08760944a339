"""The part of the emitted project by which flows ask the service: credentials, the registered API, sample flows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from xml.etree import ElementTree as ET

import pytest

from ringfence.connectors.salesforce import plugin
from ringfence.connectors.salesforce.apex_names import apex_name
from ringfence.connectors.salesforce.settings import SalesforceSettings
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.service_address import ServiceAddress

from .metadata_shapes import NAMESPACE, faults

ROOT = "force-app/main/default"
CHANGED = f"{ROOT}/flows/RF_Check_Changed_Phone.flow-meta.xml"
BY_HAND = f"{ROOT}/flows/RF_Check_Phone.flow-meta.xml"
TEXT = {"type": "string"}
API = {
    "openapi": "3.0.3",
    "info": {"title": "ringfence", "version": "1"},
    "paths": {
        "/v1/check": {
            "post": {
                "operationId": "checkNumber",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Question"}}}},
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Answer_1"}}}}
                },
            }
        },
        "/v1/screen": {"post": {"operationId": "screen", "responses": {"200": {}}}},
    },
    "components": {
        "schemas": {
            "Question": {"properties": {"number": TEXT, "region": TEXT, "queue": {"type": "boolean"}}},
            "Answer_1": {
                "properties": {
                    "callable": {"type": "boolean"},
                    "status": TEXT,
                    "reason": TEXT,
                    "suggestion": TEXT,
                    "line_type": TEXT,
                }
            },
        }
    },
}
ADDRESS = ServiceAddress("https://phones.example.com", json.dumps(API))

Files = Mapping[str, str]
Emit = Callable[..., Files]


@pytest.fixture
def emit(shapes: Callable[..., Mapping[str, ObjectShape]], both: str) -> Emit:
    def emit(text: str = both, service: ServiceAddress = ADDRESS) -> Files:
        return plugin.project(SalesforceSettings(), shapes(text), service)

    return emit


def texts(root: ET.Element, name: str) -> list[str]:
    return [each.text or "" for each in root.iter(f"{NAMESPACE}{name}")]


def parse(files: Files, name: str) -> ET.Element:
    return ET.fromstring(files[name])


def members(files: Files, manifest: str) -> list[tuple[str, str]]:
    kinds = parse(files, f"manifest/{manifest}.xml").iterfind(f"{NAMESPACE}types")
    return [(texts(kind, "name")[0], name) for kind in kinds for name in texts(kind, "members")]


def test_every_file_is_as_the_metadata_api_has_it(emit: Emit) -> None:
    files = emit()
    checked = [name for name in files if name.endswith(".xml") and "/objects/" not in name]

    assert {name: found for name in checked if (found := faults(parse(files, name)))} == {}
    assert {parse(files, name).tag.removeprefix(NAMESPACE) for name in checked} == {
        "ExternalCredential",
        "ExternalServiceRegistration",
        "Flow",
        "NamedCredential",
        "Package",
        "PermissionSet",
    }


def test_every_component_stands_in_one_manifest_and_in_that_of_the_way_back(emit: Emit) -> None:
    files = emit()
    steps = [members(files, step) for step in ("package", "individuals", "service", "flows")]
    there = [part for step in steps for part in step]
    folders = {name.split("/")[-1].split(".")[0] for name in files if name.endswith("-meta.xml")}

    assert len(there) == len(set(there)) == sum(name.endswith("-meta.xml") for name in files)
    assert {name.rpartition(".")[2] for _, name in there} == folders
    assert sorted(members(files, "destructiveChanges")) == sorted(
        (kind, f"{name}-1" if kind == "Flow" else name) for kind, name in there
    )


def test_flows_come_after_the_service_whose_classes_they_name(emit: Emit) -> None:
    files = emit()
    page = files["README.md"]

    assert {kind for kind, _ in members(files, "flows")} == {"Flow"}
    assert "Flow" not in {kind for kind, _ in members(files, "service")}
    assert page.index("manifest/service.xml") < page.index("ringfence tokens add") < page.index("manifest/flows.xml")
    assert "$" not in page


def test_the_credentials_lead_to_the_service_and_hold_no_secret(emit: Emit) -> None:
    files = emit()
    named = parse(files, f"{ROOT}/namedCredentials/RF_Ringfence.namedCredential-meta.xml")
    external = parse(files, f"{ROOT}/externalCredentials/RF_Ringfence.externalCredential-meta.xml")

    assert "https://phones.example.com" in texts(named, "parameterValue")
    assert texts(named, "externalCredential") == ["RF_Ringfence"]
    assert texts(external, "parameterValue") == ["{!'Bearer ' & $Credential.RF_Ringfence.Token}"]
    assert texts(external, "parameterType") == ["NamedPrincipal", "AuthHeader"]

    principal = texts(external, "parameterName")[0]
    granted = parse(files, f"{ROOT}/permissionsets/RF_Ringfence_Flows.permissionset-meta.xml")

    assert texts(granted, "externalCredentialPrincipal") == [f"RF_Ringfence-{principal}"]
    assert texts(granted, "object") == ["UserExternalCredential"]


def test_the_registered_api_is_the_services_own_with_every_operation(emit: Emit) -> None:
    files = emit()
    name = "externalServiceRegistrations/Ringfence.externalServiceRegistration-meta.xml"
    registered = parse(files, f"{ROOT}/{name}")

    assert json.loads(texts(registered, "schema")[0]) == API
    assert set(texts(registered, "namedCredentialReference")) == set(texts(registered, "namedCredential"))
    assert [each.findtext(f"{NAMESPACE}name") for each in registered.iter(f"{NAMESPACE}operations")] == [
        "checkNumber",
        "screen",
    ]


@pytest.mark.parametrize("name", [CHANGED, BY_HAND])
def test_every_reference_in_a_flow_leads_somewhere(emit: Emit, name: str) -> None:
    flow = parse(emit(), name)
    elements = {
        each.findtext(f"{NAMESPACE}name")
        for each in flow
        if each.find(f"{NAMESPACE}locationX") is not None and not each.tag.endswith("start")
    }
    targets = set(texts(flow, "targetReference"))

    assert targets == elements, "every element is led to, and every connector leads to one"

    variables = {each.findtext(f"{NAMESPACE}name") for each in flow.iter(f"{NAMESPACE}variables")}
    fields = {each.findtext(f"{NAMESPACE}name") for each in flow.iter(f"{NAMESPACE}fields")}
    shown = re.findall(r"{!([$\w]+)", " ".join(texts(flow, "fieldText")))
    used = [*texts(flow, "elementReference"), *texts(flow, "assignToReference"), *texts(flow, "leftValueReference")]
    roots = {reference.partition(".")[0] for reference in used} | set(shown)

    assert roots <= {*variables, *fields, "$Record", "$Flow"}
    assert variables <= roots


@pytest.mark.parametrize("name", [CHANGED, BY_HAND])
def test_a_flow_asks_by_the_names_that_salesforce_makes_of_the_api(emit: Emit, name: str) -> None:
    flow = parse(emit(), name)

    assert texts(flow, "actionName") == ["Ringfence.checkNumber"]
    assert set(texts(flow, "apexClass")) == {
        "ExternalService__Ringfence_Question",
        "ExternalService__Ringfence_Answerx5f1",
    }
    assert {"request.z0number", "answer", "code"} <= set(texts(flow, "assignToReference"))
    assert texts(flow, "status") == ["Draft"]
    assert texts(flow, "apiVersion") == ["65.0"]


def test_a_changed_number_is_asked_about_once_the_record_is_saved(emit: Emit) -> None:
    flow = parse(emit(), CHANGED)
    start = flow.find(f"{NAMESPACE}start")

    assert start is not None
    assert start.find(f"{NAMESPACE}connector") is None, "a callout in the transaction itself would fail"
    assert texts(start, "pathType") == ["AsyncAfterCommit"]
    assert texts(start, "filterFormula") == [
        "AND(NOT(ISBLANK({!$Record.Phone})), OR(ISNEW(), ISCHANGED({!$Record.Phone})))"
    ]
    assert {"$Record.Phone", "$Record.MailingCountry"} <= set(texts(flow, "elementReference"))
    assert texts(start, "object") == ["Contact"]


def test_what_the_service_does_not_take_is_not_sent(emit: Emit) -> None:
    api = json.loads(ADDRESS.api)
    del api["components"]["schemas"]["Question"]["properties"]["queue"]

    flow = parse(emit(service=ServiceAddress(ADDRESS.url, json.dumps(api))), CHANGED)

    assert "request.queue" not in texts(flow, "assignToReference")


def test_an_object_without_persons_gets_the_flow_by_hand_alone(emit: Emit) -> None:
    files = emit("crm: salesforce\nobjects:\n  Campaign:\n    phones: {Home_Phone__c: {}}\n")

    assert CHANGED not in files
    assert BY_HAND in files
    assert "manifest/individuals.xml" not in files


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:8080"])
def test_where_salesforce_could_not_reach_the_service_the_project_says_so(emit: Emit, url: str) -> None:
    files = emit(service=ServiceAddress(url, ADDRESS.api))
    named = parse(files, f"{ROOT}/namedCredentials/RF_Ringfence.namedCredential-meta.xml")

    assert "https://replace-with-your-address.example.com" in texts(named, "parameterValue")
    assert "The address of the service is not set" in files["README.md"]


def test_individuals_are_granted_apart_because_not_every_org_has_them(emit: Emit) -> None:
    files = emit()
    granted = parse(files, f"{ROOT}/permissionsets/RF_Ringfence_Individuals.permissionset-meta.xml")

    assert texts(granted, "object") == ["ContactPointTypeConsent", "Individual"]
    assert set(texts(granted, "allowRead")) == {"true"}
    assert {*texts(granted, "allowEdit"), *texts(granted, "editable")} == {"false"}
    assert texts(granted, "field") == [
        "Individual.HasOptedOutProcessing",
        "Individual.HasOptedOutSolicit",
        "Individual.ShouldForget",
    ]
    assert members(files, "individuals") == [("PermissionSet", "RF_Ringfence_Individuals")]


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("number", "z0number"),
        ("Type", "z0Type"),
        ("line_type", "linex5ftype"),
        ("checkNumber", "checkNumber"),
        ("v1-check", "v1x2dcheck"),
        ("2xx", "x32xx"),
        ("größe", "grxc3xb6xc3x9fe"),
    ],
)
def test_names_that_apex_would_not_take_are_made_over(name: str, made: str) -> None:
    assert apex_name(name) == made
