"""Every change ends with its own outcome."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from ringfence.connectors.hubspot.connector import HubSpotCrm
from ringfence.core.errors import SchemaError
from ringfence.core.model.values import Change, FieldChange, Outcome, Value
from ringfence.sandbox.hubspot.portal import HubSpotPortal

UPDATE = "POST /crm/v3/objects/{type}/batch/update"
SCREENED = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


def change(one: str, **new: Value) -> Change:
    return Change.of("contacts", one, tuple(FieldChange(name, None, value) for name, value in new.items()))


def test_values_arrive_as_hubspot_keeps_them(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    one = min(portal.contacts)
    portal.update_as_user(one, rf_phone_line_type="mobile")
    sent = change(
        one,
        rf_phone_status="active",
        rf_phone_reason="live: 東京 confirmed",
        rf_phone_line_type=None,
        rf_phone_last_screened=SCREENED,
        rf_do_not_call=True,
    )

    (result,) = crm.write([sent])

    assert result.outcome is Outcome.WRITTEN

    (record,) = crm.fetch("contacts", [one])

    assert {name: record.values[name] for name in sent.new_values()} == sent.new_values()


def test_batches_hold_a_hundred_and_results_keep_the_order(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    rows = sorted(portal.contacts)[:250]
    gone, archived = rows[10], rows[120]
    portal.merge(rows[11], gone)
    portal.archive(archived)
    results = crm.write([change(one, rf_phone_reason="x") for one in [*rows, "1"]])

    outcomes = Counter(result.outcome for result in results)

    assert outcomes == {Outcome.WRITTEN: 247, Outcome.CONFLICT: 4}
    assert [place for place, result in enumerate(results) if result.outcome is Outcome.CONFLICT] == [10, 11, 120, 250]
    assert portal.requests[UPDATE] == 3


@pytest.mark.parametrize(("mode", "most_calls"), [("whole", 1 + 2 * 7), ("row", 1)])
def test_one_bad_row_is_refused_alone(crm: HubSpotCrm, portal: HubSpotPortal, mode: str, most_calls: int) -> None:
    portal.invalid_value = mode  # type: ignore[assignment]  # parametrised over both of its words
    rows = sorted(portal.contacts)[:100]
    changes = [change(one, rf_phone_status="valid") for one in rows]
    changes[63] = change(rows[63], rf_phone_status="perhaps")

    results = crm.write(changes)

    assert [place for place, result in enumerate(results) if result.outcome is not Outcome.WRITTEN] == [63]
    assert results[63].outcome is Outcome.REFUSED
    assert results[63].code == "INVALID_OPTION"
    assert results[63].message.startswith("rf_phone_status: perhaps was not one of the allowed options")
    assert portal.requests[UPDATE] <= most_calls
    assert all(portal.contacts[one].get("rf_phone_status") == "valid" for one in rows if one != rows[63])


def test_a_repeated_write_changes_nothing_more(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    one = min(portal.contacts)
    sent = change(one, rf_phone_status="valid", rf_phone_last_screened=SCREENED)

    first, second = crm.write([sent]), crm.write([sent])

    assert first == second
    assert portal.contacts[one]["rf_phone_status"] == "valid"


def test_two_changes_of_one_record_go_out_one_after_the_other(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    one = min(portal.contacts)

    results = crm.write([change(one, rf_phone_reason="first"), change(one, rf_phone_reason="second")])

    assert [result.outcome for result in results] == [Outcome.WRITTEN, Outcome.WRITTEN]
    assert portal.contacts[one]["rf_phone_reason"] == "second"
    assert portal.requests[UPDATE] == 2


def test_a_guarded_change_lands_only_on_what_was_read(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    rows = sorted(portal.contacts)[:4]
    for one in rows:
        portal.update_as_user(one, phone="+1 415 555 0100")

    portal.archive(rows[3])
    portal.update_as_user(rows[1], phone="+1 415 555 0199")
    changes = [
        Change.of("contacts", one, (FieldChange("phone", None, "+14155550100"),), guard={"phone": "+1 415 555 0100"})
        for one in (*rows[:2], rows[3])
    ]
    changes.append(change(rows[2], rf_phone_status="valid"))

    results = crm.write(changes)

    assert [(result.outcome, result.code) for result in results] == [
        (Outcome.WRITTEN, ""),
        (Outcome.CONFLICT, "CHANGED"),
        (Outcome.CONFLICT, "OBJECT_NOT_FOUND"),
        (Outcome.WRITTEN, ""),
    ]
    assert portal.contacts[rows[1]]["phone"] == "+1 415 555 0199"
    assert crm.calls["read"] == 1


def test_a_property_that_vanished_stops_the_run_instead_of_refusing_every_row(
    crm: HubSpotCrm, portal: HubSpotPortal
) -> None:
    rows = sorted(portal.contacts)[:100]
    crm.fetch("contacts", rows[:1])
    del portal.definitions["contacts"]["rf_phone_status"]

    with pytest.raises(SchemaError, match="rf_phone_status"):
        crm.write([change(one, rf_phone_status="valid") for one in rows])

    assert portal.requests[UPDATE] == 1


@pytest.mark.parametrize(
    ("read", "written", "full", "calls"),
    [
        (0, 0, False, 0),
        (10_000, 0, False, 50),  # searches alone
        (10_000, 10_000, False, 50 + 100 + 100),  # searches, the written rows read again, updates
        (10_000, 10_000, True, 100 + 100),  # a list, whose rows need no second reading, and updates
        (201, 1, False, 2 + 1 + 1),
    ],
)
def test_fewest_calls_are_full_pages_and_full_batches(
    crm: HubSpotCrm, read: int, written: int, full: bool, calls: int
) -> None:
    assert crm.fewest_calls(read, written, full=full) == calls


def test_nothing_to_write_makes_no_call(crm: HubSpotCrm, portal: HubSpotPortal) -> None:
    assert crm.write([]) == []
    assert sum(crm.calls.values()) == 0
