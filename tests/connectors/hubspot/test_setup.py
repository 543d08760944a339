"""What setup creates, and what check says before and after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import resources

import pytest
import yaml

from ringfence.connectors.hubspot.client import HubSpotClient
from ringfence.connectors.hubspot.connector import HubSpotCrm
from ringfence.core.errors import AccessError, AuthenticationError, MappingError, SchemaError
from ringfence.core.model.values import Change, FieldChange, Outcome
from ringfence.core.model.verdicts import Status
from ringfence.core.ports.crm import Finding, Level
from ringfence.sandbox.hubspot.portal import HubSpotPortal
from ringfence.sandbox.server import Sandbox

Connect = Callable[..., HubSpotCrm]
BARE = pytest.mark.parametrize("sandbox", [{"contacts": 20, "bare": True}], indirect=True)
SMALL = pytest.mark.parametrize("sandbox", [{"contacts": 20}], indirect=True)


def problems(crm: HubSpotCrm) -> list[Finding]:
    return [finding for finding in crm.check() if finding.level is Level.PROBLEM]


@BARE
def test_setup_creates_all_that_is_missing_and_then_nothing(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    before = problems(crm)

    assert len(before) == 13
    assert all(one.error is SchemaError and "ringfence setup hubspot" in one.remedy for one in before)

    steps = crm.plan_setup()

    assert [step.kind for step in steps] == ["property group"] + ["property"] * 13
    assert list(crm.apply_setup(steps)) == steps
    assert crm.plan_setup() == []
    assert problems(crm) == []

    made = portal.definitions["contacts"]

    assert [option["value"] for option in made["rf_phone_status"].to_json()["options"]] == [one.value for one in Status]
    assert (made["rf_phone_last_screened"].type, made["rf_do_not_call"].type) == ("datetime", "bool")
    assert portal.requests["POST /crm/v3/properties/{type}/batch/create"] == 1


@BARE
def test_several_objects_are_set_up_and_read_in_one_run(connect: Connect, portal: HubSpotPortal) -> None:
    crm = connect(
        "crm: hubspot\nobjects:\n"
        "  contacts:\n    phones: {phone: {}}\n    opt_out: {field: rf_do_not_call}\n"
        "  companies:\n    phones: {phone: {}}\n"
    )

    steps = crm.plan_setup()

    assert [step.name for step in steps if step.kind == "property group"] == [
        "contacts.ringfence",
        "companies.ringfence",
    ]
    assert len(list(crm.apply_setup(steps))) == 2 + 7 + 6

    feed = crm.open_feed({})

    pages = list(feed.changed())

    assert {page.object for page in pages} == {"contacts", "companies"}

    found = {record.object: record for page in pages for record in page.records}

    assert found["companies"].modified is not None

    cursors = {page.object: page.cursor for page in pages}

    changed = list(crm.open_feed(cursors).changed())

    assert {page.object for page in changed} == {"contacts", "companies"}
    assert all(page.cursor for page in changed)

    (written,) = crm.write(
        [Change.of("companies", found["companies"].id, (FieldChange("rf_phone_reason", None, "x"),))]
    )

    assert written.outcome is Outcome.WRITTEN


@BARE
def test_setup_survives_a_property_that_somebody_created_meanwhile(crm: HubSpotCrm, connect: Connect) -> None:
    steps = crm.plan_setup()
    list(connect().apply_setup(steps[:4]))

    assert list(crm.apply_setup(steps)) == steps
    assert problems(crm) == []


@BARE
def test_setup_says_which_scope_it_lacks(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    portal.scopes.discard("crm.schemas.contacts.write")

    with pytest.raises(AccessError, match=r"crm\.schemas\.contacts\.write"):
        list(crm.apply_setup(crm.plan_setup()))


@BARE
def test_people_read_labels_and_descriptions(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    list(crm.apply_setup(crm.plan_setup()))

    status = portal.definitions["contacts"]["rf_mobilephone_status"].to_json()

    assert (status["label"], status["options"][0]["label"]) == ("Mobile phone status", "Do not contact")
    assert "do not call" in status["description"]


@BARE
def test_a_refused_property_is_named_and_the_others_are_created(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    steps = crm.plan_setup()
    wrong = replace(steps[1], body={**steps[1].body, "definition": {**steps[1].body["definition"], "type": "cheese"}})

    done = list(crm.apply_setup([steps[0], wrong, *steps[2:]]))

    assert [step.name for step in done] == [step.name for step in steps]
    assert [step.name for step in done if step.refused] == [wrong.name]
    assert "cheese" in done[1].refused
    assert [step.name for step in crm.plan_setup()] == [wrong.name]


@SMALL
def test_labels_that_somebody_changed_are_told_and_left(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    portal.definitions["contacts"]["rf_phone_reason"].label = "Why"

    assert crm.plan_setup() == []

    (remark,) = crm.setup_remarks()

    assert "contacts.rf_phone_reason is labelled 'Why', where set-up says 'Phone status reason'." in remark


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (
            {"overallLimit": 10, "overallUsage": 2},
            "13 custom properties are needed, and the portal has room for 8 more.",
        ),
        (
            {
                "overallLimit": 1000,
                "overallUsage": 0,
                "byObjectType": [{"objectTypeId": "0-1", "limit": 10, "usage": 11}],
            },
            "room for 0 more on contacts",
        ),
        ({"overallLimit": 1000, "overallUsage": 2, "byObjectType": []}, None),
        ({"overallLimit": None, "overallUsage": 2}, None),
        (None, None),
    ],
)
@BARE
def test_the_limit_of_custom_properties_is_looked_at_first(
    crm: HubSpotCrm, monkeypatch: pytest.MonkeyPatch, limits: dict[str, object] | None, words: str | None
) -> None:
    def answer(_client: HubSpotClient) -> dict[str, object]:
        if limits is None:
            raise AccessError("no", "")
        return limits

    monkeypatch.setattr(HubSpotClient, "property_limits", answer)

    if words is None:
        assert len(crm.plan_setup()) == 14
    else:
        with pytest.raises(SchemaError, match=words):
            crm.plan_setup()


@SMALL
def test_check_is_content_and_changes_nothing(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    before = {one: dict(held) for one, held in portal.contacts.items()}

    findings = crm.check()

    assert {finding.level for finding in findings} == {Level.OK, Level.UNKNOWN}
    assert any("20 records" in finding.message for finding in findings)
    assert {one: dict(held) for one, held in portal.contacts.items()} == before


@SMALL
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("phones: {phnoe: {}}", "did you mean 'phone'"),
        ("region: {field: contry}", "did you mean 'country'"),
        ("opt_out: {field: rf_do_not_call, true_values: ['yes']}", "yes/no property"),
        ("opt_out: {field: lifecyclestage, true_values: [leed]}", "no option leed"),
        ("phones: {phone: {companions: {status: firstname}}}", "type string, not enumeration"),
        ("phones: {phone: {companions: {reason: hs_object_id}}}", "read-only"),
        ("filter: [{propertyName: contry, operator: HAS_PROPERTY}]", "did you mean 'country'"),
    ],
)
def test_check_names_what_is_wrong_with_the_mapping(connect: Connect, text: str, words: str) -> None:
    mapping = f"crm: hubspot\nobjects:\n  contacts:\n    {text}\n"
    if not text.startswith("phones"):
        mapping += "    phones: {phone: {}}\n"

    found = problems(connect(mapping))

    assert any(words in f"{finding.message} {finding.remedy}" for finding in found), found


@SMALL
def test_check_tells_one_value_from_several(connect: Connect, preferences: str) -> None:
    def check(opt_out: str) -> list[Finding]:
        return problems(
            connect(f"crm: hubspot\nobjects:\n  contacts:\n    phones: {{phone: {{}}}}\n    opt_out: {{{opt_out}}}\n")
        )

    assert check(f"field: {preferences}, true_values: [no_calls], multiple: true") == []

    (single,) = check(f"field: {preferences}, true_values: [no_calls]")

    assert "several values" in single.message
    assert "`multiple: true`" in single.remedy

    (several,) = check("field: rf_do_not_call, multiple: true")

    assert "one value" in several.message


@SMALL
def test_check_says_what_an_update_of_no_records_cannot_tell(crm: HubSpotCrm) -> None:
    told = [finding.message for finding in crm.check() if "crm.objects.contacts.write" in finding.message]

    assert len(told) == 1
    assert "the first write tells for certain" in told[0]


@SMALL
def test_an_object_that_hubspot_lacks_is_named(connect: Connect) -> None:
    crm = connect("crm: hubspot\nobjects:\n  contcats:\n    phones: {phone: {}}\n")

    (found,) = problems(crm)

    assert "contcats" in found.message

    with pytest.raises((SchemaError, AccessError)):
        crm.open_feed({})


@SMALL
@pytest.mark.parametrize("scope", ["read", "write"])
def test_a_missing_scope_is_named(crm: HubSpotCrm, portal: HubSpotPortal, scope: str) -> None:
    portal.scopes -= {f"crm.{area}.contacts.{scope}" for area in ("objects", "schemas")}

    (found,) = problems(crm)

    assert found.error is AccessError
    assert f"it needs crm.objects.contacts.{scope}." in found.message
    assert "scopes" in found.remedy


@SMALL
def test_a_wrong_token_is_told_without_showing_it(connect: Connect) -> None:
    with pytest.raises(AuthenticationError, match="RINGFENCE_HUBSPOT__ACCESS_TOKEN") as caught:
        connect(token="pat-na1-mistyped").check()
    assert "pat-na1" not in str(caught.value)


@SMALL
@pytest.mark.parametrize(("kind", "production"), [("STANDARD", True), ("SANDBOX", False), ("DEVELOPER_TEST", False)])
def test_only_a_standard_account_is_production(
    crm: HubSpotCrm, portal: HubSpotPortal, kind: str, production: bool
) -> None:
    portal.account_type = kind

    org = crm.identify()

    assert (org.key, org.production) == (f"hubspot:{portal.portal_id}", production)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("AccountId != null", "is text"),
        ("[{propertyName: country, operator: EQ}]", "EQ takes value"),
        ("[{propertyName: country, operator: IS, value: x}]", "operator"),
        ("[{propertyName: country, operator: IN, value: x}]", "IN takes values"),
        ("[{property: country, operator: HAS_PROPERTY}]", "propertyName"),
        ("[" + ", ".join(["{propertyName: a, operator: HAS_PROPERTY}"] * 4) + "]", "4 conditions"),
    ],
)
@SMALL
def test_a_filter_that_hubspot_could_not_take_is_refused_before_any_call(
    connect: Connect, condition: str, words: str, sandbox: Sandbox
) -> None:
    with pytest.raises(MappingError, match=words):
        connect(filter=condition)
    assert not sandbox.hubspot.requests


def test_the_checklist_says_done_or_why_not() -> None:
    listed = yaml.safe_load((resources.files("ringfence.connectors.hubspot") / "checklist.yaml").read_text())

    assert len(listed) > 20
    for rule, state in listed.items():
        assert state == "done" or (set(state) == {"exempt"} and len(state["exempt"]) > 10), rule
