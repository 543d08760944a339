"""Duplicate rules, where a phone field itself is rewritten: alerts are passed, blocks are not."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.core.model.values import Change, FieldChange, Outcome
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.salesforce.traits import SalesforceTraits

from .bulk.conftest import Watch

HELD, SAME = "(415) 555-0132", "+14155550132"


@pytest.fixture
def twins(org: SalesforceOrg) -> list[str]:
    """Two contacts with one number, as people write it."""
    ids = sorted(org.rows("Contact"))[:2]
    for one in ids:
        org.update_as_user("Contact", one, MobilePhone=HELD)
    return ids


def rewrite(crm: SalesforceCrm, one: str, *, guarded: bool = True) -> Change:
    (record,) = crm.fetch("Contact", [one])
    guard = {"MobilePhone": HELD} if guarded else None
    return Change.of("Contact", one, (FieldChange("MobilePhone", HELD, SAME),), guard, record.modified)


@pytest.mark.parametrize(
    ("rule", "outcome", "code", "held"),
    [("alert", Outcome.WRITTEN, "", SAME), ("block", Outcome.REFUSED, "DUPLICATES_DETECTED", HELD)],
)
def test_an_alert_is_passed_and_a_block_is_not(
    crm: SalesforceCrm, org: SalesforceOrg, twins: list[str], rule: Any, outcome: Outcome, code: str, held: str
) -> None:
    org.traits = SalesforceTraits(duplicate_rules={"Contact": rule})

    (result,) = crm.write([rewrite(crm, twins[0])])

    assert (result.outcome, result.code) == (outcome, code)
    assert org.rows("Contact")[twins[0]]["MobilePhone"] == held


@pytest.mark.parametrize("rule", ["alert", "block"])
def test_companions_meet_no_duplicate_rule(crm: SalesforceCrm, org: SalesforceOrg, twins: list[str], rule: Any) -> None:
    org.traits = SalesforceTraits(duplicate_rules={"Contact": rule})

    (result,) = crm.write([Change.of("Contact", twins[0], (FieldChange("RF_Phone_E164__c", None, SAME),))])

    assert result.outcome is Outcome.WRITTEN


def test_a_job_has_no_header_to_pass_an_alert(crm: SalesforceCrm, org: SalesforceOrg, twins: list[str]) -> None:
    org.traits = SalesforceTraits(duplicate_rules={"Contact": "alert"})
    load = crm.bulk.load("Contact")
    load.add([rewrite(crm, twins[0], guarded=False)])

    ((_, result),) = load.write(Watch())

    assert (result.outcome, result.code) == (Outcome.REFUSED, "DUPLICATES_DETECTED")
