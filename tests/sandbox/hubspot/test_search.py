"""Search: operators, pages, limits, and an index that lags."""

from datetime import timedelta
from typing import Any

import pytest
from hubspot import HubSpot

from ringfence.sandbox.hubspot.portal import HubSpotPortal

from .conftest import NOW, PEOPLE, Api


def filters(*rules):
    return [{"filters": [dict(zip(("propertyName", "operator", "value"), rule, strict=False)) for rule in rules]}]


def milliseconds(when: Any):
    return str(int(when.timestamp() * 1000))


def found(reply: Any):
    assert reply.status == 200, reply.body
    return [row["id"] for row in reply.body["results"]]


def test_the_real_client_pages_through_everything(client: HubSpot, ids: list[str]) -> None:
    search, seen, last = client.crm.contacts.search_api, [], "0"
    while True:
        page = search.do_search(
            {
                "filterGroups": filters(("hs_object_id", "GT", last)),
                "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
                "properties": ["phone", "rf_phone_status"],
                "limit": 50,
            },
            _request_timeout=5,
        )
        if not page.results:
            break

        assert page.total == PEOPLE - len(seen)

        seen += [row.id for row in page.results]
        last = seen[-1]

    assert seen == ids


def test_offset_pages_say_where_the_next_begins(api: Api, ids: list[str]) -> None:
    first = api.search(limit=100)

    assert first.body["paging"] == {"next": {"after": "100"}}

    rest = api.search(limit=100, after="100")

    assert found(first) + found(rest) == ids
    assert "paging" not in rest.body


def test_an_unset_property_is_null_and_an_unknown_one_is_left_out(
    api: Api, portal: HubSpotPortal, ids: list[str]
) -> None:
    portal.update_as_user(ids[0], phone="")
    row = api.search(filterGroups=filters(("hs_object_id", "EQ", ids[0])), properties=["phone", "no_such"]).body[
        "results"
    ][0]

    assert row["properties"].keys() == {"phone", "createdate", "hs_object_id", "lastmodifieddate"}
    assert row["properties"]["phone"] is None


@pytest.mark.parametrize("as_iso", [True, False])
def test_a_closed_window_takes_epoch_milliseconds_and_iso(
    api: Api, portal: HubSpotPortal, ids: list[str], as_iso: bool
) -> None:
    when = NOW - timedelta(days=1)
    portal.set_modified(ids[:7], when)
    shown = when.isoformat() if as_iso else milliseconds(when)
    window = filters(("lastmodifieddate", "GTE", shown), ("lastmodifieddate", "LTE", shown))

    assert found(api.search(filterGroups=window, limit=200)) == ids[:7]


def test_many_rows_on_one_millisecond_are_read_by_id(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    when = NOW - timedelta(days=1)
    portal.set_modified(ids, when)
    seen: list[str] = []
    while True:
        rules = [("lastmodifieddate", "EQ", milliseconds(when)), ("hs_object_id", "GT", seen[-1] if seen else "0")]
        page = found(api.search(filterGroups=filters(*rules), sorts=["hs_object_id"], limit=50))
        if not page:
            break
        seen += page

    assert seen == ids


OPERATORS = [
    (("city", "EQ", "oslo"), ["a"]),
    (("city", "NEQ", "Oslo"), ["b", "c"]),
    (("city", "IN", ["Oslo", "BERGEN"]), ["a", "b"]),
    (("city", "NOT_IN", ["Oslo"]), ["b", "c"]),
    (("city", "HAS_PROPERTY"), ["a", "b", "c"]),
    (("city", "NOT_HAS_PROPERTY"), ["d"]),
    (("city", "CONTAINS_TOKEN", "new*"), ["c"]),
    (("city", "NOT_CONTAINS_TOKEN", "york"), ["a", "b"]),
    (("rf_do_not_call", "EQ", "true"), ["a"]),
    (("rf_phone_last_screened", "LT", "2026-01-02T00:00:00Z"), ["a"]),
    (("rf_phone_last_screened", "GTE", "1767312000000"), ["b"]),
]


@pytest.fixture
def four(portal: HubSpotPortal, ids: list[str]):
    """Four contacts with known values; all others are gone."""
    for record_id in ids[4:]:
        portal.archive(record_id)
    for record_id in ids[:4]:
        cleared = {"rf_do_not_call": "", "rf_phone_last_screened": ""}
        portal.update_as_user(record_id, **cleared)
    portal.update_as_user(ids[0], city="Oslo", rf_do_not_call="true", rf_phone_last_screened="2026-01-01T00:00:00Z")
    portal.update_as_user(ids[1], city="Bergen", rf_phone_last_screened="2026-01-02T00:00:00Z")
    portal.update_as_user(ids[2], city="New York")
    return dict(zip(ids[:4], "abcd", strict=True))


@pytest.mark.parametrize(("rule", "expected"), OPERATORS, ids=lambda value: "-".join(map(str, value[:2])))
def test_every_operator(api: Api, four: Any, rule: Any, expected: Any) -> None:
    name, operator, *value = rule
    body = {"propertyName": name, "operator": operator}
    if value:
        body["values" if isinstance(value[0], list) else "value"] = value[0]

    assert [four[each] for each in found(api.search(filters=[body]))] == expected


def test_between_includes_both_ends(api: Api, ids: list[str]) -> None:
    rule = {"propertyName": "hs_object_id", "operator": "BETWEEN", "value": ids[3], "highValue": ids[6]}
    assert found(api.search(filters=[rule])) == ids[3:7]


def test_groups_are_alternatives_and_filters_in_one_are_not(api: Api, ids: list[str]) -> None:
    groups = filters(("hs_object_id", "EQ", ids[0])) + filters(
        ("hs_object_id", "EQ", ids[1]), ("email", "EQ", "nobody")
    )

    assert found(api.search(filterGroups=groups)) == ids[:1]


def test_sorting_by_text_puts_empty_ones_last(api: Api, four: Any) -> None:
    ascending = found(api.search(sorts=[{"propertyName": "city", "direction": "ASCENDING"}]))
    descending = found(api.search(sorts=["-city"]))

    assert [four[each] for each in ascending] == ["b", "c", "a", "d"]
    assert [four[each] for each in descending] == ["a", "c", "b", "d"]


def test_full_text_finds_by_the_beginning_of_words(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    portal.update_as_user(ids[5], firstname="Zebulon")
    assert found(api.search(query="zebu")) == [ids[5]]


def test_archived_contacts_are_never_found(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    portal.archive(ids[0])
    assert ids[0] not in found(api.search(limit=200))


def test_a_page_follows_every_change_between_two_searches(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    rule = {"filters": [{"propertyName": "city", "operator": "EQ", "value": "Oslo"}]}

    assert found(api.search(**rule)) == []

    portal.update_as_user(ids[2], city="Oslo")
    portal.update_as_user(ids[1], city="Oslo")

    assert found(api.search(**rule)) == ids[1:3]

    portal.update_as_user(ids[2], city="Bergen")
    portal.archive(ids[1])

    assert found(api.search(**rule)) == []


def test_a_lagging_index_answers_with_old_values_until_it_catches_up(
    api: Api, portal: HubSpotPortal, ids: list[str]
) -> None:
    portal.search_lag_s = 30
    portal.update_as_user(ids[0], city="Oslo")
    rule = {"filters": [{"propertyName": "city", "operator": "EQ", "value": "Oslo"}]}
    old = api.search(filters=[{"propertyName": "hs_object_id", "operator": "EQ", "value": ids[0]}], properties=["city"])

    assert found(api.search(**rule)) == []
    assert old.body["results"][0]["properties"]["city"] is None
    assert api("GET", f"/crm/v3/objects/contacts/{ids[0]}", properties="city").body["properties"]["city"] == "Oslo"

    portal.clock.advance(31)

    assert found(api.search(**rule)) == ids[:1]


REFUSED = [
    {"limit": 201},
    {"limit": 200, "after": "9801"},
    {"after": "abc"},
    {"sorts": ["email", "city"]},
    {"sorts": ["no_such"]},
    {"sorts": [{"propertyName": "city", "direction": "UP"}]},
    {"filters": [{"propertyName": "no_such", "operator": "EQ", "value": "1"}]},
    {"filters": [{"propertyName": "city", "operator": "LIKE", "value": "1"}]},
    {"filters": [{"propertyName": "city", "operator": "EQ"}]},
    {"filters": [{"propertyName": "city", "operator": "IN", "value": "Oslo"}]},
    {"filters": [{"propertyName": "lastmodifieddate", "operator": "GT", "value": "yesterday"}]},
    {"filterGroups": [{"filters": []}] * 6},
    {"filterGroups": filters(*[("city", "EQ", "x")] * 7)},
    {"filterGroups": filters(*[("city", "EQ", "x")] * 5) * 4},
    {"query": "x" * 3000},
    "no json",
    "[]",
]


@pytest.mark.parametrize("body", REFUSED, ids=lambda body: str(body)[:40])
def test_what_hubspot_refuses_is_refused(api: Api, body: Any) -> None:
    reply = api("POST", "/crm/v3/objects/contacts/search", body)

    assert reply.status == 400
    assert reply.body["category"] == "VALIDATION_ERROR"
    assert reply.body["correlationId"] == reply.headers["X-HubSpot-Correlation-Id"]


def test_the_last_page_inside_ten_thousand_is_served(api: Api) -> None:
    assert api.search(limit=200, after="9800").body["results"] == []


def test_a_lagging_index_still_shows_what_was_archived(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    portal.search_lag_s = 30
    portal.archive(ids[0])
    fresh = api("POST", "/crm/v3/objects/contacts", {"properties": {"email": "fresh@example.com"}}).body["id"]
    shown = found(api.search(limit=200))

    assert ids[0] in shown
    assert fresh not in shown

    portal.clock.advance(31)
    shown = found(api.search(limit=200))

    assert ids[0] not in shown
    assert fresh in shown


def test_descending_ids_and_times(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    assert found(api.search(sorts=["-hs_object_id"], limit=3)) == ids[::-1][:3]

    portal.update_as_user(ids[7], city="Oslo")
    newest = api.search(sorts=[{"propertyName": "lastmodifieddate", "direction": "DESCENDING"}], limit=1)

    assert found(newest) == [ids[7]]
