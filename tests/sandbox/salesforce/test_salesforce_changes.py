"""How changes become visible: `/updated`, `/deleted`, long transactions, people's edits, merges and conversions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from .conftest import Api


def window(api: Api, kind: str, start: str, end: str, name: str = "Contact") -> Any:
    response = api("GET", f"/sobjects/{name}/{kind}/", params={"start": start, "end": end})
    assert response.status_code == 200, response.text
    return response.json()


def test_updated_cuts_seconds_and_covers_up_to_the_minute(api: Api, contacts: list[str]) -> None:
    body = window(api, "updated", "2026-11-22T12:00:59Z", "2026-11-24T12:00:59+00:00")

    assert body == {"ids": contacts[:2], "latestDateCovered": "2026-11-24T12:00:00.000+0000"}
    assert window(api, "updated", "2026-11-20T12:00:00Z", "2026-11-20T12:01:00Z")["ids"] == contacts[3:]

    future = window(api, "updated", "2026-11-22T12:00:00Z", "2026-11-25T00:00:00Z")

    assert future["latestDateCovered"] == "2026-11-24T12:00:00.000+0000"

    early = window(api, "updated", "2026-11-22T12:00:00Z", "2026-11-23T00:00:30Z")

    assert early == {"ids": contacts[1:2], "latestDateCovered": "2026-11-23T00:00:00.000+0000"}


def test_both_minutes_of_a_window_are_inside(api: Api, contacts: list[str], clock: Any) -> None:
    clock.advance(30)
    api.org.touch("Contact", contacts[2])

    assert window(api, "updated", "2026-11-24T12:00:00Z", "2026-11-24T12:01:00Z")["ids"] == [contacts[2]]
    assert window(api, "updated", "2026-11-24T12:01:00Z", "2026-11-24T12:02:00Z")["ids"] == [contacts[2]]


def test_a_long_transaction_holds_the_covered_date_back(api: Api, contacts: list[str], clock: Any) -> None:
    first, second = "2026-11-24T12:00:00Z", "2026-11-24T13:00:00Z"
    transaction = api.org.open_transaction()
    transaction.update("Contact", contacts[3], Phone="late")
    clock.advance(600)
    api.org.update_as_user("Contact", contacts[0], Phone="soon")
    body = window(api, "updated", first, second)

    assert body == {"ids": contacts[:1], "latestDateCovered": "2026-11-24T12:00:00.000+0000"}
    assert api.query("SELECT COUNT() FROM Contact WHERE Phone = 'late'")["totalSize"] == 0

    transaction.commit()
    body = window(api, "updated", first, second)

    assert body == {"ids": [contacts[0], contacts[3]], "latestDateCovered": "2026-11-24T12:10:00.000+0000"}
    assert api.org.rows("Contact")[contacts[3]]["SystemModstamp"] == "2026-11-24T12:00:30.000+0000"


def test_deleted_rows_leave_updated_and_enter_deleted(api: Api, contacts: list[str]) -> None:
    api.org.delete("Contact", contacts[0])
    start, end = "2026-11-22T12:00:00Z", "2026-11-24T12:01:00Z"

    assert window(api, "updated", start, end)["ids"] == contacts[1:2]

    body = window(api, "deleted", start, end)

    assert body["deletedRecords"] == [{"id": contacts[0], "deletedDate": "2026-11-24T12:00:30.000+0000"}]
    assert body["earliestDateAvailable"] == "2026-11-09T12:00:00.000+0000"


@pytest.mark.parametrize(
    ("kind", "start", "end", "code"),
    [
        ("updated", "2026-10-24T12:00:00Z", "2026-11-24T12:00:00Z", "INVALID_REPLICATION_DATE"),
        ("deleted", "2026-11-08T12:00:00Z", "2026-11-24T12:00:00Z", "INVALID_REPLICATION_DATE"),
        ("updated", "2026-11-24T12:00:00Z", "2026-11-24T11:00:00Z", "INVALID_REPLICATION_DATE"),
        ("updated", "2026-11-24T12:00:00Z", "2026-11-24T12:00:59Z", "INVALID_REPLICATION_DATE"),
        ("updated", "2026-11-24", "2026-11-24T12:00:59Z", "INVALID_REPLICATION_DATE"),
        ("updated", "2026-11-24T11:00:00", "2026-11-24T12:00:59Z", "INVALID_REPLICATION_DATE"),
        ("updated", None, "2026-11-24T12:00:00Z", "MISSING_ARGUMENT"),
    ],
)
def test_windows_that_are_refused(api: Api, kind: str, start: str | None, end: str, code: str) -> None:
    options = {"params": {"start": start, "end": end}}
    status, error = api.refusal("GET", f"/sobjects/Contact/{kind}", **options)

    assert (status, error["errorCode"]) == (400, code)


def test_the_reach_of_thirty_days_is_inclusive(api: Api) -> None:
    assert len(window(api, "updated", "2026-10-25T12:00:00Z", "2026-11-24T12:01:00Z")["ids"]) == 4


def test_permission_rows_are_not_replicated(api: Api) -> None:
    params = {"start": "2026-11-24T11:00:00Z", "end": "2026-11-24T12:00:00Z"}
    assert api.refusal("GET", "/sobjects/PermissionSet/updated", params=params)[0] == 404


def test_a_persons_edit_carries_their_name(api: Api, contacts: list[str], clock: Any) -> None:
    clock.advance(3)
    api.org.update_as_user(
        "Contact", contacts[0], Phone="new", RF_Phone_Last_Screened__c=clock.now() - timedelta(days=1)
    )
    (record,) = api.query(
        "SELECT Phone, LastModifiedById, SystemModstamp, RF_Phone_Last_Screened__c "
        f"FROM Contact WHERE Id = '{contacts[0]}'"
    )["records"]
    del record["attributes"]

    assert record == {
        "Phone": "new",
        "LastModifiedById": api.org.human_id,
        "SystemModstamp": "2026-11-24T12:00:33.000+0000",
        "RF_Phone_Last_Screened__c": "2026-11-23T12:00:33.000+0000",
    }
    assert api.org.human_id != api.org.user_id


def test_a_system_process_moves_only_the_system_stamp(api: Api, contacts: list[str]) -> None:
    before = dict(api.org.rows("Contact")[contacts[0]])
    api.org.touch("Contact", contacts[0])
    after = api.org.rows("Contact")[contacts[0]]

    assert after["SystemModstamp"] == "2026-11-24T12:00:30.000+0000"
    assert {**after, "SystemModstamp": before["SystemModstamp"]} == before


def test_a_merge_deletes_the_losers(api: Api, contacts: list[str]) -> None:
    winner, *losers = contacts[:3]
    api.org.merge(winner, losers)
    soql = f"SELECT Id FROM Contact WHERE MasterRecordId = '{winner}'"
    merged = api("GET", "/queryAll", params={"q": soql}).json()["records"]

    assert [record["Id"] for record in merged] == losers
    assert api.ids("SELECT Id FROM Contact ORDER BY Id") == [winner, contacts[3]]
    assert api.refusal("PATCH", f"/sobjects/Contact/{losers[0]}", json={"Phone": "1"})[0] == 404

    with pytest.raises(ValueError, match="one or two"):
        api.org.merge(winner, [])


def test_a_converted_lead_lives_on_as_a_contact(api: Api, leads: list[str]) -> None:
    contact = api.org.convert_lead(leads[0])
    where = f"WHERE ConvertedContactId = '{contact}' AND IsConverted = true"

    assert api.ids(f"SELECT Id FROM Lead {where}") == leads[:1]

    (record,) = api.query(f"SELECT Name, Phone, MailingCountry FROM Contact WHERE Id = '{contact}'")["records"]

    assert (record["Name"], record["Phone"], record["MailingCountry"]) == (
        "First5 Last5",
        "(415) 555-0105",
        "United States",
    )


def test_screened_people_carry_their_companions(api: Api, contacts: list[str]) -> None:
    row = api.org.rows("Contact")[contacts[3]]

    assert row["RF_Phone_Status__c"] == "valid"
    assert row["RF_Phone_E164__c"] == "+14155550104"
    assert row["RF_Phone_Screened_Value__c"] == row["Phone"]
    assert row["RF_Phone_Last_Screened__c"] == row["SystemModstamp"]
    assert row["RF_MobilePhone_Status__c"] == "invalid"
    assert row["LastModifiedById"] == api.org.user_id
    assert api.org.rows("Contact")[contacts[0]]["RF_Phone_Status__c"] is None
