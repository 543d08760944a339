"""SOQL and the values that go into it, without a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.connectors.salesforce.bulk.update_sheet import write_cell
from ringfence.connectors.salesforce.composite import MAX_URI, query_subrequest
from ringfence.connectors.salesforce.cursor import Position, read_position
from ringfence.connectors.salesforce.fields import RowReader, read_moment, write_moment, write_value
from ringfence.connectors.salesforce.soql import (
    BY_STAMP,
    Query,
    base_conditions,
    beside_others,
    due,
    flag_up,
    literal,
    one_of,
)
from ringfence.connectors.salesforce.source import ObjectSource
from ringfence.core.errors import SchemaError, StateError
from ringfence.core.model.shapes import ObjectShape, OptOutFlag

Shapes = Callable[..., Mapping[str, ObjectShape]]
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        ("O'Hara \\ co", "'O\\'Hara \\\\ co'"),
        ("two\nlines", "'two\\nlines'"),
        (NOON, "2026-11-02T12:00:00Z"),
        (datetime(2026, 11, 2, 13, 0, 0, 999_999, timezone(timedelta(hours=1))), "2026-11-02T12:00:00Z"),
    ],
)
def test_literals_are_escaped_and_in_utc(value: Any, text: str) -> None:
    assert literal(value) == text


@given(st.text())
def test_no_text_ends_its_own_quotes(text: str) -> None:
    inner = literal(text)[1:-1].replace("\\\\", "").replace("\\'", "")

    assert "'" not in inner
    assert not inner.endswith("\\")


@given(st.datetimes(timezones=st.just(UTC)))
def test_moments_survive_to_the_second(moment: datetime) -> None:
    assert read_moment(write_moment(moment).zfill(20)) == moment.replace(microsecond=0)


def test_salesforce_writes_moments_with_a_bare_offset() -> None:
    assert read_moment("2026-09-24T03:26:07.000+0000") == datetime(2026, 9, 24, 3, 26, 7, tzinfo=UTC)


def test_a_query_goes_on_behind_its_last_row() -> None:
    row = {"Id": "003A", "SystemModstamp": "2026-11-02T12:00:00.000+0000"}

    by_id = Query("Contact", ("Id",)).behind(row).soql()

    assert by_id == "SELECT Id FROM Contact WHERE Id > '003A' ORDER BY Id"

    by_stamp = Query("Contact", ("Id",), order=BY_STAMP).behind(row).soql()

    assert (
        "(SystemModstamp > 2026-11-02T12:00:00Z OR (SystemModstamp = 2026-11-02T12:00:00Z AND Id > '003A'))" in by_stamp
    )
    assert by_stamp.endswith("ORDER BY SystemModstamp, Id")


def test_due_asks_for_empty_stamps_by_themselves(shapes: Shapes) -> None:
    assert due(shapes()["Contact"], NOON) == (
        "((Phone != null AND (RF_Phone_Last_Screened__c < 2026-11-02T12:00:00Z OR RF_Phone_Last_Screened__c = null))"
        " OR (MobilePhone != null AND"
        " (RF_MobilePhone_Last_Screened__c < 2026-11-02T12:00:00Z OR RF_MobilePhone_Last_Screened__c = null)))"
    )


def source(shape: ObjectShape, **options: Any) -> ObjectSource:
    return ObjectSource(RowReader(shape), None, Position(full=False, since=NOON), **options)


def test_flags_matter_while_up_or_while_a_slot_says_so(shapes: Shapes) -> None:
    shape = replace(shapes()["Contact"], opt_outs=(OptOutFlag("Consent__c", ("no", "never")),))
    query = source(shape).flagged()

    assert query is not None
    assert query.conditions[1] == (
        "((Consent__c = 'no' OR Consent__c = 'never') OR (RF_Phone_Status__c = 'do_not_contact'"
        " OR RF_MobilePhone_Status__c = 'do_not_contact'))"
    )


def test_a_flag_that_no_condition_may_name_is_asked_of_every_row(shapes: Shapes) -> None:
    query = source(shapes()["Contact"], hidden=frozenset({"DoNotCall"})).flagged()

    assert query is not None
    assert query.conditions == ("SystemModstamp >= 2026-11-02T11:55:00Z",)


@pytest.mark.parametrize(
    ("multiple", "kind", "condition"),
    [
        (True, "multipicklist", "Wishes__c INCLUDES ('no_calls')"),
        (True, "string", "(Wishes__c LIKE '%no\\_calls%')"),
        (False, "picklist", "(Wishes__c = 'no_calls')"),
        (False, None, "(Wishes__c = 'no_calls')"),
    ],
)
def test_members_of_a_field_that_holds_several_are_asked_for(multiple: bool, kind: str | None, condition: str) -> None:
    assert flag_up(OptOutFlag("Wishes__c", ("no_calls",), multiple), kind) == condition


def test_only_leads_can_be_converted(shapes: Shapes, both: str) -> None:
    known = shapes(both)

    assert base_conditions(known["Lead"]) == ("IsConverted = false",)
    assert base_conditions(known["Contact"]) == ()


def test_the_ids_of_one_query_fit_its_address() -> None:
    part = query_subrequest(Query("Contact", ("Id",), (one_of(["0035i00000000AAAAA"] * 600), "(Title != null)")).soql())
    assert len(part.path) < MAX_URI


def test_a_row_without_a_mapped_field_is_named(shapes: Shapes) -> None:
    reader = RowReader(shapes()["Contact"])

    row = dict.fromkeys(reader.fields) | {"Id": "003A", "SystemModstamp": "2026-11-02T12:00:00.000+0000"}

    assert reader.read(row, in_scope=True).values["Phone"] is None
    assert reader.read(row | {"Phone": "", "DoNotCall": False}, in_scope=True).values["Phone"] is None
    assert reader.read(row | {"Phone": 4155550132}, in_scope=True).values["Phone"] == "4155550132"

    del row["MailingCountry"]

    with pytest.raises(SchemaError, match=r"Contact\.MailingCountry"):
        reader.read(row, in_scope=True)

    with pytest.raises(SchemaError, match=r"Contact\.MailingCountry"):
        reader.read_job_rows([row])


@pytest.mark.parametrize(
    "position",
    [
        Position(full=True),
        Position(full=True, since=NOON, after="003A"),
        Position(full=False, since=NOON),
        Position(full=False, since=NOON, after="003A"),
    ],
)
def test_positions_survive_as_text(position: Position) -> None:
    assert read_position(position.dump()) == position


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1]",
        '{"v": 3, "full": true, "since": null, "after": null}',
        '{"v": 1, "full": false, "since": null, "after": null}',
        '{"v": 1, "full": false, "since": "yesterday", "after": null}',
    ],
)
def test_a_strange_cursor_is_answered_with_a_way_on(text: str) -> None:
    with pytest.raises(StateError, match="--full"):
        read_position(text)


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (datetime(2026, 11, 30, 9, 0, 1, tzinfo=UTC), "2026-11-30T09:00:01Z"),
        (datetime(2026, 11, 30, 9, 0, 1, 123_000, tzinfo=UTC), "2026-11-30T09:00:01.123Z"),
    ],
)
def test_values_are_written_to_the_millisecond_where_they_have_any(moment: datetime, written: str) -> None:
    assert write_value(moment) == write_cell(moment) == written
    assert read_moment(written) == moment


@pytest.mark.parametrize(
    ("condition", "joined"),
    [
        ("AccountId != null", "AccountId != null"),
        ("Id IN (SELECT ContactId FROM CampaignMember)", "Id IN (SELECT ContactId FROM CampaignMember)"),
        ("Title = 'a OR b' AND (Phone = null OR Fax = null)", "Title = 'a OR b' AND (Phone = null OR Fax = null)"),
        ("Title = 'it\\'s' OR Phone = null", "(Title = 'it\\'s' OR Phone = null)"),
        ("Phone = null\nor\nFax = null", "(Phone = null\nor\nFax = null)"),
        ("(Phone = null)OR(Fax = null)", "((Phone = null)OR(Fax = null))"),
        ("NOT Title LIKE 'x%'", "(NOT Title LIKE 'x%')"),
        ("not(Title LIKE 'x%')", "(not(Title LIKE 'x%'))"),
        ("AccountId NOT IN (SELECT Id FROM Account)", "AccountId NOT IN (SELECT Id FROM Account)"),
        (" OrderId__c != null ", "OrderId__c != null"),
    ],
)
def test_a_condition_of_others_gets_brackets_only_where_it_needs_them(condition: str, joined: str) -> None:
    assert beside_others(condition) == joined
