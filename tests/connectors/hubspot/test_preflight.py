"""What `check` tells of a token and of a first sync, and that one problem hides no other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ringfence.connectors.hubspot.client import HubSpotClient
from ringfence.connectors.hubspot.connector import HubSpotCrm
from ringfence.connectors.hubspot.errors import AnswerError
from ringfence.core.errors import AccessError, UnreachableError
from ringfence.core.ports.crm import Depth, Finding, Level
from ringfence.sandbox.hubspot.portal import HubSpotPortal
from ringfence.sandbox.hubspot.traits import HubSpotTraits
from ringfence.sandbox.org_file import parse_org

Connect = Callable[..., HubSpotCrm]
SMALL = pytest.mark.parametrize("sandbox", [{"contacts": 20}], indirect=True)
FULL = parse_org("hubspot: {custom_properties: 10}", "test")
BARE = pytest.mark.parametrize("sandbox", [{"contacts": 20, "bare": True}], indirect=True)


def _at(crm: HubSpotCrm, level: Level, depth: Depth = Depth.DOCTOR) -> list[Finding]:
    return [finding for finding in crm.check(depth) if finding.level is level]


@BARE
@pytest.mark.parametrize("depth", [Depth.SYNC, Depth.DOCTOR])
def test_missing_scopes_are_told_while_properties_are_missing_too(
    crm: HubSpotCrm, portal: HubSpotPortal, depth: Depth
) -> None:
    # The definitions may be read by a scope of their own.
    portal.scopes = {"crm.schemas.contacts.read"}

    found = _at(crm, Level.PROBLEM, depth)

    refused = [finding.message for finding in found if finding.error is AccessError]
    assert len(found) == 13 + 2
    assert "it needs crm.objects.contacts.read" in refused[0]
    assert "it needs crm.objects.contacts.write" in refused[1]
    assert all("Development > Keys > Service keys" in each.remedy for each in found if each.error is AccessError)


@SMALL
def test_a_token_that_may_only_read_is_known_where_hubspot_tells_its_scopes(
    crm: HubSpotCrm, portal: HubSpotPortal
) -> None:
    portal.scopes = {"crm.objects.contacts.read"}

    (problem,) = _at(crm, Level.PROBLEM)

    assert "it needs crm.objects.contacts.write" in problem.message
    assert problem.in_preview
    assert not portal.requests["POST /crm/v3/objects/{type}/batch/update"]


@SMALL
@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_question_about_no_records_that_finds_no_answer_keeps_no_sync_from_running(
    crm: HubSpotCrm, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    def refuse(*_: object) -> None:
        if status == 500:
            raise UnreachableError("out of order", "later")
        raise AnswerError("refused", "", status=status, category="", words="")

    monkeypatch.setattr(HubSpotClient, "update_batch", refuse)

    findings = crm.check(Depth.SYNC)

    assert [each for each in findings if each.level is Level.PROBLEM] == []
    assert any("may write" in each.message for each in findings if each.level is Level.UNKNOWN)


@SMALL
def test_a_token_that_may_write_is_known_to(crm: HubSpotCrm) -> None:
    assert _at(crm, Level.UNKNOWN) == []
    assert any("may write" in finding.message for finding in _at(crm, Level.OK))


@SMALL
def test_what_no_probe_can_prove_is_said_to_be_unknown(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    portal.traits = HubSpotTraits(tells_scopes=False)

    (unknown,) = _at(crm, Level.UNKNOWN)

    assert "crm.objects.contacts.write" in unknown.message
    assert "the first write tells for certain" in unknown.message


@BARE
def test_a_token_that_cannot_create_properties_is_warned_of_before_set_up(
    crm: HubSpotCrm, portal: HubSpotPortal
) -> None:
    portal.scopes -= {"crm.schemas.contacts.write"}

    assert any("crm.schemas.contacts.write" in finding.message for finding in _at(crm, Level.WARNING))


@SMALL
def test_the_scope_of_old_that_stood_for_all_counts(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    portal.scopes = {"crm.objects.contacts.read", "contacts"}

    assert _at(crm, Level.PROBLEM) == []


@SMALL
def test_a_wrong_filter_does_not_hide_a_missing_scope(connect: Connect, portal: HubSpotPortal) -> None:
    portal.scopes = {"crm.schemas.contacts.read"}
    crm = connect(filter="[{propertyName: contry, operator: HAS_PROPERTY}]")

    messages = " ".join(finding.message for finding in _at(crm, Level.PROBLEM))

    assert "did you mean 'country'" in messages
    assert "crm.objects.contacts.read" in messages


@SMALL
def test_records_and_numbers_are_counted_by_the_portal(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    crm.check()

    survey = crm.survey()

    held = portal.contacts.values()
    (count,) = survey.counts
    assert count.records == len(held)
    assert count.numbers == sum(bool(one.get(name)) for one in held for name in ("phone", "mobilephone"))
    assert survey.allowance is not None
    assert survey.allowance.limit == portal.daily.limit
    assert survey.automation[0].unknown == ("workflow",)


@pytest.mark.parametrize(
    "sandbox",
    [{"contacts": 20, "bare": True, "org": parse_org("hubspot: {custom_properties: 10}", "test")}],
    indirect=True,
)
def test_a_portal_without_room_for_the_properties_is_told_before_setup(crm: HubSpotCrm) -> None:
    (problem,) = [finding for finding in _at(crm, Level.PROBLEM) if finding.subject == "custom properties"]

    assert "13 custom properties are needed" in problem.message
    assert problem.remedy
    assert problem.in_preview
    assert not [finding for finding in _at(crm, Level.PROBLEM, Depth.SYNC) if finding.subject == problem.subject]
