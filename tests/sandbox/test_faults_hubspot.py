"""Faults of HubSpot, each seen as the API shows it."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import World

CONTACTS = "/crm/v3/objects/contacts"
SEARCH = f"{CONTACTS}/search"


def rule(fault: str, when: str = "") -> str:
    return f"{{service: hubspot, when: {{{when}}}, fault: {{{fault}}}}}"


def search(world: World, **body: Any) -> Any:
    return world.hubspot("POST", SEARCH, json={"limit": 200, "properties": ["phone"], **body})


def update(world: World, ids: list[str], traced: bool = False, **properties: str) -> Any:
    inputs = [
        {"id": each, "properties": properties, **({"objectWriteTraceId": f"t{each}"} if traced else {})} for each in ids
    ]
    return world.hubspot("POST", f"{CONTACTS}/batch/update", json={"inputs": inputs})


def ids_of(world: World) -> list[str]:
    return list(world.sandbox.hubspot.contacts)


@pytest.fixture(autouse=True)
def unhurried(world: World) -> None:
    """Searches are not limited, unless a test says so."""
    world.sandbox.hubspot.searches.limit = 1000


@pytest.mark.parametrize(
    ("status", "category"),
    [
        (401, "EXPIRED_AUTHENTICATION"),
        (403, "MISSING_SCOPES"),
        (423, "LOCKED"),
        (477, "MIGRATION"),
        (500, None),
        (503, None),
    ],
)
def test_a_refusal_has_the_body_of_the_service(world: World, status: int, category: str | None) -> None:
    world.faults(rule(f"kind: refuse, status: {status}", "nth: 1"))
    answer = world.hubspot()
    body = answer.json()

    assert (answer.status_code, body["status"], body.get("category")) == (status, "error", category)
    assert body["correlationId"] == answer.headers["X-HubSpot-Correlation-Id"]
    assert answer.headers.get("Retry-After") == ("10" if status == 477 else None)
    assert world.hubspot().status_code == 200


@pytest.mark.parametrize("status", [502, 504, 521, 523, 524])
def test_what_the_edge_refuses_is_a_web_page(world: World, status: int) -> None:
    world.faults(rule(f"kind: refuse, status: {status}, retry_after: 1"))
    answer = world.hubspot()

    assert (answer.status_code, answer.headers["Retry-After"]) == (status, "1")
    assert "<html>" in answer.text


def test_limits_name_the_policy_that_was_reached(world: World) -> None:
    world.faults(rule("kind: refuse, status: 429", "nth: 1") + "," + rule("kind: refuse, status: 429, code: DAILY"))
    first, second = world.hubspot(), world.hubspot()

    assert (first.json()["policyName"], second.json()["policyName"]) == ("TEN_SECONDLY_ROLLING", "DAILY")
    assert "daily limit" in second.json()["message"]

    searched = search(world)

    assert "policyName" not in searched.json()
    assert "secondly limit" in searched.json()["message"]
    assert "Retry-After" not in first.headers


def test_its_own_limits_name_a_wait_where_the_settings_say_so(world: World) -> None:
    world.faults("", "hubspot: {daily_limit: 0, retry_after: 7}")
    answer = world.hubspot()

    assert (answer.status_code, answer.json()["policyName"], answer.headers["Retry-After"]) == (429, "DAILY", "7")

    world.faults("", "hubspot: {daily_limit: 0}")

    assert "Retry-After" not in world.hubspot().headers

    world.faults("", "hubspot: {searches_per_s: 1, calls_per_ten_s: 150}")
    answers = [search(world) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 429, 429]
    assert world.hubspot().headers["X-HubSpot-RateLimit-Max"] == "150"


def test_an_error_after_the_commit_has_written_the_batch(world: World) -> None:
    ids = ids_of(world)[:5]
    world.faults(rule("kind: refuse, status: 504, after_commit: true", "path: '/crm/v3/objects/{type}/batch/update'"))

    assert update(world, ids, firstname="Written").status_code == 504
    assert {world.sandbox.hubspot.contacts[each]["firstname"] for each in ids} == {"Written"}


def test_the_search_index_lags_and_catches_up(world: World) -> None:
    record = ids_of(world)[3]
    world.faults("", "hubspot: {search_lag_s: 1800}")
    update(world, [record], firstname="Fresh")
    wanted = {"filters": [{"propertyName": "firstname", "operator": "EQ", "value": "Fresh"}]}

    assert search(world, **wanted).json()["total"] == 0
    assert world.hubspot(path=f"{CONTACTS}/{record}").json()["properties"]["firstname"] == "Fresh"

    world.sandbox.clock.advance(1801)

    assert search(world, **wanted).json()["total"] == 1


def test_results_come_out_of_order_across_pages_and_none_is_lost(world: World) -> None:
    sort = [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]

    def read() -> list[int]:
        pages = [search(world, limit=20, after=str(at), sorts=sort).json()["results"] for at in (0, 20, 40)]
        return [int(row["id"]) for page in pages for row in page]

    proper = read()

    assert proper == sorted(proper)

    world.faults(rule("kind: disorder_results, block: 50"))
    mixed = read()

    assert sorted(mixed) == proper[: len(mixed)]
    assert mixed != proper
    assert set(mixed[:20]) != set(proper[:20])
    assert read() == mixed

    world.faults(rule("kind: disorder_results, block: 50"), "seed: 8")

    assert read() != mixed


def test_the_total_disagrees_with_the_results(world: World) -> None:
    there = len(ids_of(world))
    world.faults(rule("kind: misstate_total, by: -3", "nth: 2") + "," + rule("kind: misstate_total, by: 5", "nth: 3"))
    answers = [search(world).json() for _ in range(3)]

    assert [answer["total"] for answer in answers] == [there, there - 3, there + 5]
    assert {len(answer["results"]) for answer in answers} == {there}


def test_rows_leave_a_window_in_mid_paging(world: World) -> None:
    portal = world.sandbox.hubspot
    window = {
        "filters": [
            {"propertyName": "lastmodifieddate", "operator": "LTE", "value": str(portal.now())},
        ]
    }
    world.sandbox.clock.advance(5)
    world.faults(rule("kind: edit_rows, count: 6", f"path: {SEARCH}, nth: 2"))
    first = search(world, limit=10, **window).json()
    second = search(world, limit=10, after="10", **window).json()

    assert second["total"] == first["total"] - 6


def test_edits_merges_and_archives_happen_at_the_request_that_is_named(world: World) -> None:
    before = ids_of(world)
    world.faults(
        ",".join(
            (
                rule("kind: edit_rows, count: 4, values: {firstname: Edited}", "nth: 1"),
                rule("kind: delete_rows, count: 3", "nth: 2"),
                rule("kind: merge_rows, count: 2, loser_opted_out: true", "nth: 3"),
            )
        )
    )
    portal = world.sandbox.hubspot
    world.hubspot()

    assert [held["firstname"] for held in portal.contacts.values()].count("Edited") == 4

    world.hubspot()
    archived = world.hubspot(path=CONTACTS, params={"archived": "true", "limit": 100}).json()["results"]

    assert len(archived) == 3
    assert len(set(before) - set(ids_of(world))) == 3 + 4

    survivors = set(ids_of(world)) - set(before)

    assert len(survivors) == 2

    for survivor in survivors:
        assert portal.contacts[survivor]["rf_do_not_call"] == "true"
        old = portal.contacts[survivor]["hs_merged_object_ids"].split(";")[0]
        assert world.hubspot(path=f"{CONTACTS}/{old}").json()["id"] == survivor


def test_a_record_is_archived_between_read_and_write(world: World) -> None:
    ids = ids_of(world)[:4]
    world.faults(rule("kind: delete_rows, among: request, count: 1", "purpose: write, nth: 1"))
    body = update(world, ids, firstname="Late").json()

    assert body["numErrors"] == 1
    assert len(body["results"]) == 3

    (lost,) = body["errors"][0]["context"]["ids"]

    assert {lost} == set(ids) - set(ids_of(world))


def test_ids_say_which_records(world: World, caplog: pytest.LogCaptureFixture) -> None:
    first, second = ids_of(world)[10:12]
    world.faults(
        rule(f"kind: edit_rows, ids: ['{first}', '1'], values: {{firstname: Named, lastname: null}}", "nth: 1")
    )
    world.hubspot()
    held = world.sandbox.hubspot.contacts

    assert (held[first]["firstname"], "lastname" in held[first]) == ("Named", False)
    assert held[second]["firstname"] != "Named"
    assert "1 of its ids name no live record" in caplog.text


@pytest.mark.parametrize("refused", ["row", "whole"])
def test_a_bad_row_refuses_itself_or_the_batch(world: World, refused: str) -> None:
    ids = ids_of(world)[:5]
    world.faults(
        rule(f"kind: refuse_rows, ids: ['{ids[2]}'], message: Frozen"), f"hubspot: {{invalid_value: {refused}}}"
    )
    answer = update(world, ids, traced=True, firstname=f"Bad {refused}")
    landed = [each for each in ids if world.sandbox.hubspot.contacts[each]["firstname"] == f"Bad {refused}"]
    if refused == "whole":
        assert (answer.status_code, landed) == (400, [])
        assert "Frozen" in answer.json()["message"]
    else:
        assert (answer.status_code, landed) == (207, [*ids[:2], *ids[3:]])
        assert answer.json()["errors"][0]["context"]["objectWriteTraceId"] == [f"t{ids[2]}"]
    alone = world.hubspot("PATCH", f"{CONTACTS}/{ids[2]}", json={"properties": {"firstname": "Alone"}})

    assert (alone.status_code, alone.json()["category"]) == (400, "VALIDATION_ERROR")


def test_a_share_of_the_rows_is_refused_some_times(world: World) -> None:
    ids = ids_of(world)[:30]
    world.faults(rule("kind: refuse_rows, fraction: 0.3, tries: 1"), "hubspot: {invalid_value: row}")
    first = update(world, ids, firstname="Share").json()

    assert 0 < first["numErrors"] < 30
    assert update(world, ids, firstname="Share").status_code == 200


def test_the_errors_of_a_207_are_folded_into_one(world: World) -> None:
    ids = [*ids_of(world)[:3], "9001", "9002", "9003"]
    plain = update(world, ids, traced=True, firstname="Many").json()

    assert plain["numErrors"] == 3

    world.faults(rule("kind: fold_errors, kept: 2", "purpose: write"))
    answer = update(world, ids, traced=True, firstname="Many")
    body = answer.json()

    assert (answer.status_code, body["numErrors"], len(body["results"])) == (207, 1, 3)
    assert body["errors"][0]["context"] == {"ids": ["9001", "9002"]}


def test_more_rows_than_a_search_gives_out_share_one_millisecond(world: World) -> None:
    world.faults(rule("kind: equal_stamps, count: 99999, age_s: 60", "nth: 1"))
    rows = search(world, properties=["lastmodifieddate"]).json()["results"]

    assert len({row["properties"]["lastmodifieddate"] for row in rows}) == 1


@pytest.mark.parametrize("bumps", [True, False])
def test_a_write_that_changes_nothing_moves_the_time_or_not(world: World, bumps: bool) -> None:
    record = ids_of(world)[7]
    update(world, [record], firstname="Same")
    before = world.sandbox.hubspot.contacts[record]["lastmodifieddate"]
    world.sandbox.clock.advance(2)
    world.faults("", f"hubspot: {{noop_bumps: {str(bumps).lower()}}}")
    update(world, [record], firstname="Same")

    assert (world.sandbox.hubspot.contacts[record]["lastmodifieddate"] != before) is bumps


def test_requests_are_told_apart_by_purpose(world: World) -> None:
    kinds = ("read", "write", "schema", "other")
    world.faults(
        ",".join(rule(f"kind: refuse, status: {410 + at}", f"purpose: {each}") for at, each in enumerate(kinds))
    )
    answers = (
        search(world),
        update(world, ["1"], firstname="x"),
        world.hubspot(path="/crm/v3/properties/contacts"),
        world.hubspot(),
    )

    assert [answer.status_code for answer in answers] == [410, 411, 412, 413]
