"""What set-up made goes, opt-outs stay unless they are asked for, and what HubSpot refuses is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ringfence.connectors.hubspot.connector import HubSpotCrm
from ringfence.core.errors import AccessError
from ringfence.core.ports.crm import Level
from ringfence.sandbox.hubspot.portal import HubSpotPortal
from ringfence.sandbox.hubspot.traits import HubSpotTraits

Connect = Callable[..., HubSpotCrm]
SMALL = pytest.mark.parametrize("sandbox", [{"contacts": 20}], indirect=True)


@SMALL
def test_the_companions_go_and_the_opt_outs_stay(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    planned = crm.plan_removal()

    assert {step.kind for step in planned.steps} == {"property"}
    assert len(planned.steps) == 12
    assert planned.records["contacts"] == sum(
        any(row.get(f"rf_{slot}_status") for slot in ("phone", "mobilephone")) for row in portal.contacts.values()
    )

    (kept,) = planned.kept

    assert kept.name == "contacts.rf_do_not_call"
    assert "--with-opt-outs" in kept.why

    assert list(crm.apply_removal(planned.steps)) == planned.steps
    assert [name for name in portal.definitions["contacts"] if name.startswith("rf_")] == ["rf_do_not_call"]
    assert [one for one in crm.check() if one.level is Level.PROBLEM]
    assert crm.plan_removal().steps == []


@SMALL
def test_the_opt_outs_go_where_that_is_asked_for_and_are_counted(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    portal.update_as_user(next(iter(portal.contacts)), rf_do_not_call="true")

    planned = crm.plan_removal(opt_outs=True)

    assert [step.kind for step in planned.steps] == ["property"] * 13 + ["property group"]
    assert planned.opt_outs["contacts.rf_do_not_call"] == sum(
        row.get("rf_do_not_call") == "true" for row in portal.contacts.values()
    )
    assert planned.kept == []
    assert [step for step in crm.apply_removal(planned.steps) if step.refused] == []
    assert "ringfence" not in portal.groups["contacts"]


@SMALL
def test_an_opt_out_property_of_the_portals_own_never_goes(connect: Connect, preferences: str) -> None:
    text = "crm: hubspot\nobjects:\n  contacts:\n    phones: {phone: {companions: {status: rf_phone_state}}}\n"
    opt_out = f"    opt_out: {{field: {preferences}, true_values: [no_calls], multiple: true}}\n"

    planned = connect(text + opt_out).plan_removal(opt_outs=True)

    assert [one.name for one in planned.kept] == ["contacts.rf_phone_state", f"contacts.{preferences}"]
    assert len(planned.steps) == 5


@SMALL
def test_half_of_it_gone_already_is_no_trouble(crm: HubSpotCrm, connect: Connect) -> None:
    steps = list(crm.plan_removal(opt_outs=True).steps)

    assert len(list(crm.apply_removal(steps[:4]))) == 4
    assert [step for step in connect().apply_removal(steps) if step.refused] == []


@SMALL
def test_a_property_that_something_uses_is_told_and_the_rest_goes(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    portal.traits = HubSpotTraits(properties_in_use={"rf_phone_status": "the workflow Call list"})

    done = list(crm.apply_removal(crm.plan_removal(opt_outs=True).steps))

    (refused,) = [step for step in done if step.refused]

    assert (refused.name, "Call list" in refused.refused) == ("contacts.rf_phone_status", True)
    assert [name for name in portal.definitions["contacts"] if name.startswith("rf_")] == ["rf_phone_status"]
    # The group holds a property still, so that it is not tried.
    assert "ringfence" in portal.groups["contacts"]


@SMALL
def test_a_missing_scope_is_named(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    portal.scopes.discard("crm.schemas.contacts.write")

    with pytest.raises(AccessError, match=r"crm\.schemas\.contacts\.write"):
        list(crm.apply_removal(crm.plan_removal().steps))
