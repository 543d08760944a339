"""Faults of Salesforce, each seen as the API shows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from ringfence.sandbox.salesforce.table import Row

from .conftest import World

QUERY = "SELECT Id, Phone, SystemModstamp FROM Contact"


def rule(fault: str, when: str = "") -> str:
    return f"{{service: salesforce, when: {{{when}}}, fault: {{{fault}}}}}"


def query(world: World, soql: str = QUERY) -> Any:
    return world.salesforce(path="/query", params={"q": soql})


def pages(world: World, soql: str = QUERY) -> list[list[dict[str, Any]]]:
    """Return the records of every page of a query."""
    body = query(world, soql).json()
    found = [body["records"]]
    while not body["done"]:
        body = world.salesforce(path=body["nextRecordsUrl"]).json()
        found.append(body["records"])
    return found


def live(world: World, name: str = "Contact") -> dict[str, Row]:
    """Return copies of the rows that are not deleted."""
    rows = world.sandbox.salesforce.rows(name).items()
    return {row_id: Row(row) for row_id, row in rows if row["IsDeleted"] is not True}


def write_all(world: World, ids: list[str], **fields: Any) -> list[dict[str, Any]]:
    """Update rows in one collection and return their results."""
    records = [{"attributes": {"type": "Contact"}, "id": row_id, **fields} for row_id in ids]
    answer = world.salesforce("PATCH", "/composite/sobjects", json={"allOrNone": False, "records": records})
    assert answer.status_code == 200
    results: list[dict[str, Any]] = answer.json()
    return results


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "QUERY_TIMEOUT"),
        (401, "INVALID_SESSION_ID"),
        (403, "REQUEST_LIMIT_EXCEEDED"),
        (429, "REQUEST_LIMIT_EXCEEDED"),
        (500, "UNKNOWN_EXCEPTION"),
        (503, "SERVER_UNAVAILABLE"),
    ],
)
def test_a_refusal_has_the_body_of_the_service(world: World, status: int, code: str) -> None:
    world.faults(rule(f"kind: refuse, status: {status}, retry_after: 3", "nth: 1"))
    answer = query(world)

    assert (answer.status_code, answer.json()[0]["errorCode"]) == (status, code)
    assert answer.json()[0]["message"]
    assert answer.headers["Retry-After"] == "3"

    answer = query(world)

    assert (answer.status_code, answer.headers.get("Retry-After")) == (200, None)


@pytest.mark.parametrize("status", [406, 420, 502, 504])
def test_what_the_edge_refuses_is_a_web_page(world: World, status: int) -> None:
    world.faults(rule(f"kind: refuse, status: {status}"))
    answer = query(world)

    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (status, "text/html")
    assert "Retry-After" not in answer.headers


def test_words_of_ones_own_replace_those_of_the_service(world: World) -> None:
    world.faults(rule("kind: refuse, status: 403, code: API_DISABLED_FOR_ORG, message: Not here"))
    assert query(world).json() == [{"message": "Not here", "errorCode": "API_DISABLED_FOR_ORG"}]


def test_the_token_endpoint_fails_in_the_form_of_oauth(world: World) -> None:
    org = world.sandbox.salesforce
    form = {"grant_type": "client_credentials", "client_id": org.client_id, "client_secret": org.client_secret}
    world.faults(rule("kind: refuse, status: 503", "purpose: sign_in, nth: 1"))
    answer = world.salesforce("POST", "/services/oauth2/token", data=form)

    assert (answer.status_code, answer.json()["error"]) == (503, "unknown_error")
    assert world.salesforce("POST", "/services/oauth2/token", data=form).status_code == 200


def test_an_error_after_the_commit_has_written_the_rows(world: World) -> None:
    ids = list(live(world))[:5]
    world.faults(rule("kind: refuse, status: 500, after_commit: true", "path: /composite/sobjects"))
    records = [{"attributes": {"type": "Contact"}, "id": row_id, "Title": "Written"} for row_id in ids]
    answer = world.salesforce("PATCH", "/composite/sobjects", json={"records": records})

    assert answer.status_code == 500
    assert {live(world)[row_id]["Title"] for row_id in ids} == {"Written"}


def test_a_refusal_costs_no_call_and_an_answer_that_is_lost_does(world: World) -> None:
    org = world.sandbox.salesforce
    before = org.api_usage
    world.faults(rule("kind: refuse, status: 503", "nth: 1") + "," + rule("kind: empty, after_commit: true", "nth: 2"))
    query(world)

    assert org.api_usage == before

    query(world)

    assert org.api_usage == before + 1


def test_tokens_expire_at_the_request_that_is_named(world: World) -> None:
    org = world.sandbox.salesforce
    world.faults(rule("kind: expire_tokens", "nth: 3"))

    assert [query(world).status_code for _ in range(4)] == [200, 200, 401, 401]

    org.sessions.issue()

    assert query(world).status_code == 200


def test_the_daily_quota_is_told_in_both_forms_and_ends_in_a_refusal(world: World) -> None:
    org = world.sandbox.salesforce
    world.faults("", "salesforce: {api_limit: 100, api_usage: 98, app_limit: [ringfence, 90]}")
    answer = query(world)

    assert answer.headers["Sforce-Limit-Info"] == "api-usage=99/100; per-app-api-usage=99/90(appName=ringfence)"

    query(world)
    answer = query(world)

    assert (answer.status_code, answer.json()[0]["errorCode"]) == (403, "REQUEST_LIMIT_EXCEEDED")

    world.faults(rule("kind: refuse, status: 403"))

    assert org.app_limit is None
    assert query(world).headers["Sforce-Limit-Info"] == f"api-usage={org.api_usage}/100000"


def test_pages_are_short_and_lose_no_row(world: World) -> None:
    world.faults(rule("kind: short_pages, smallest: 2, largest: 9", "path: /query"))
    found = pages(world)

    assert max(map(len, found)) <= 9
    assert sorted(row["Id"] for page in found for row in page) == sorted(live(world))
    assert len({len(pages(world)[0]) for _ in range(12)}) > 3


def test_cursors_are_dropped_in_mid_paging(world: World) -> None:
    world.faults(
        rule("kind: short_pages, smallest: 10, largest: 10")
        + ","
        + rule("kind: drop_cursors", "path: '/query/*', nth: 2")
    )
    body = query(world).json()
    body = world.salesforce(path=body["nextRecordsUrl"]).json()
    answer = world.salesforce(path=body["nextRecordsUrl"])

    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")
    assert query(world).json()["done"] is False


def test_locked_rows_pass_after_some_tries_and_are_the_same_for_one_seed(world: World) -> None:
    ids = list(live(world))[:40]
    fault = rule("kind: lock_rows, fraction: 0.4, tries: 2")

    def locked() -> list[int]:
        results = write_all(world, ids, Title="Free")
        codes = {each["errors"][0]["statusCode"] for each in results if not each["success"]}
        assert codes <= {"UNABLE_TO_LOCK_ROW"}
        return [at for at, each in enumerate(results) if not each["success"]]

    world.faults(fault)
    first = locked()

    assert 0 < len(first) < 40
    assert locked() == first
    assert locked() == []

    world.faults(fault)

    assert locked() == first


def test_rows_of_one_account_are_locked_together(world: World) -> None:
    rows = live(world)
    world.faults(rule("kind: lock_rows, fraction: 0.5"))
    results = write_all(world, list(rows), Title="Free")
    verdicts: dict[Any, set[bool]] = {}
    for row, result in zip(rows.values(), results, strict=True):
        verdicts.setdefault(row["AccountId"], set()).add(result["success"])
        if not result["success"]:
            assert row["AccountId"] in result["errors"][0]["message"]

    assert {len(seen) for seen in verdicts.values()} == {1}
    assert {True, False} == {seen.pop() for seen in verdicts.values()}


def test_a_validation_rule_refuses_its_rows_at_every_try(world: World) -> None:
    ids = list(live(world))[:20]
    world.faults(rule(f"kind: refuse_rows, ids: ['{ids[3]}', '{ids[7]}'], message: Frozen"))
    for _ in range(2):
        results = write_all(world, ids, Title="Ruled")

        assert [at for at, each in enumerate(results) if not each["success"]] == [3, 7]

        error = results[3]["errors"][0]

        assert (error["statusCode"], error["message"]) == ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Frozen")

    assert live(world)[ids[3]]["Title"] != "Ruled"


def test_a_share_of_the_rows_is_refused_inside_composite_too(world: World) -> None:
    ids = list(live(world))[:25]
    world.faults(rule("kind: refuse_rows, fraction: 0.4, code: ENTITY_IS_LOCKED, object: Contact", "purpose: write"))
    entries = [
        {
            "method": "PATCH",
            "url": f"/services/data/v65.0/sobjects/Contact/{row_id}",
            "referenceId": f"r{at}",
            "body": {"Title": "Half"},
        }
        for at, row_id in enumerate(ids)
    ]
    answer = world.salesforce("POST", "/composite", json={"compositeRequest": entries}).json()
    refused = [each["body"][0]["errorCode"] for each in answer["compositeResponse"] if each["httpStatusCode"] == 400]

    assert 0 < len(refused) < 25
    assert set(refused) == {"ENTITY_IS_LOCKED"}


def test_a_rule_of_the_test_itself_still_counts_and_comes_back(world: World) -> None:
    org, ids = world.sandbox.salesforce, list(live(world))[:2]

    def own(_name: str, row: Any, _changes: Any) -> tuple[str, str] | None:
        return ("MINE", "mine") if row["Id"] == ids[0] else None

    org.refuse_row = own
    world.faults(rule(f"kind: refuse_rows, ids: ['{ids[1]}']"))
    codes = [each["errors"][0]["statusCode"] for each in write_all(world, ids, Title="x")]

    assert codes == ["MINE", "FIELD_CUSTOM_VALIDATION_EXCEPTION"]
    assert org.refuse_row is own

    org.refuse_row = None


def test_rows_are_edited_deleted_and_merged_at_the_request_that_is_named(world: World) -> None:
    before = live(world)
    world.faults(
        ",".join(
            (
                rule("kind: edit_rows, count: 4, values: {Title: Edited}", "nth: 1"),
                rule("kind: delete_rows, count: 3", "nth: 2"),
                rule("kind: merge_rows, count: 2, loser_opted_out: true", "nth: 3"),
            )
        )
    )
    query(world)

    assert sum(row["Title"] == "Edited" for row in live(world).values()) == 4
    assert len(live(world)) == len(before)

    query(world)

    assert len(live(world)) == len(before) - 3

    query(world)
    gone = world.salesforce(
        path="/queryAll", params={"q": "SELECT Id, MasterRecordId, DoNotCall FROM Contact WHERE IsDeleted = true"}
    ).json()["records"]
    merged = [row for row in gone if row["MasterRecordId"]]

    assert (len(merged), {row["DoNotCall"] for row in merged}) == (2, {True})
    assert {row["MasterRecordId"] for row in merged} <= set(live(world))


def test_a_record_that_a_write_names_is_edited_just_before_it(world: World) -> None:
    ids = list(live(world))
    unmodified_since = (datetime.now(UTC) - timedelta(seconds=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    world.faults(rule("kind: edit_rows, among: request, count: 5, values: {Phone: by hand}", "purpose: write"))
    answer = world.salesforce(
        "PATCH",
        f"/sobjects/Contact/{ids[5]}",
        json={"Phone": "by machine"},
        headers={"If-Unmodified-Since": unmodified_since},
    )

    assert answer.status_code == 412
    assert [row_id for row_id, row in live(world).items() if row["Phone"] == "by hand"] == [ids[5]]


def test_leads_are_converted(world: World) -> None:
    before = {row_id for row_id, row in live(world, "Lead").items() if row["IsConverted"]}
    world.faults(rule("kind: convert_leads, count: 2", "nth: 1"))
    query(world)
    converted = {row_id: row for row_id, row in live(world, "Lead").items() if row["IsConverted"]}

    assert len(converted.keys() - before) == 2
    assert {row["ConvertedContactId"] for row in converted.values()} <= set(live(world))


def test_a_process_of_the_platform_moves_one_stamp_only(world: World) -> None:
    before = live(world)
    world.sandbox.clock.advance(60)
    world.faults(rule("kind: touch_rows, count: 7", "nth: 1"))
    query(world)
    moved = [row for row_id, row in live(world).items() if row != before[row_id]]

    assert len(moved) == 7
    assert {row["SystemModstamp"] > row["LastModifiedDate"] for row in moved} == {True}
    assert {key for row in moved for key in row if row[key] != before[row["Id"]].get(key)} == {"SystemModstamp"}


def test_a_late_commit_shows_an_old_stamp_later_and_holds_the_watermark_back(world: World) -> None:
    def covered() -> datetime:
        end = datetime.now(UTC) + timedelta(minutes=10)
        bounds = {"start": (end - timedelta(days=1)).isoformat(), "end": end.isoformat()}
        answer = world.salesforce(path="/sobjects/Contact/updated", params=bounds).json()
        return datetime.strptime(answer["latestDateCovered"], "%Y-%m-%dT%H:%M:%S.000%z")

    started = world.sandbox.clock.now() - timedelta(seconds=600)
    world.faults(rule("kind: late_commit, count: 2, started_s_ago: 600, requests: 3, values: {Title: Late}", "nth: 1"))

    def late() -> list[dict[str, Any]]:
        return query(world, "SELECT Id, SystemModstamp FROM Contact WHERE Title = 'Late'").json()["records"]

    assert late() == []
    assert abs(covered() - started) < timedelta(seconds=65)
    assert late() == []

    rows = late()

    assert len(rows) == 2

    for row in rows:
        stamp = datetime.strptime(row["SystemModstamp"], "%Y-%m-%dT%H:%M:%S.000%z")
        assert abs(stamp - started) < timedelta(seconds=5)

    assert covered() - started > timedelta(seconds=480)


def test_taking_the_faults_away_commits_what_was_held_back(world: World) -> None:
    world.faults(rule("kind: late_commit, requests: 99, values: {Title: Held}", "nth: 1"))
    query(world)

    assert not [row for row in live(world).values() if row["Title"] == "Held"]

    world.sandbox.faults = None

    assert [row for row in live(world).values() if row["Title"] == "Held"]
    assert world.sandbox.salesforce.transactions == []


def test_thousands_of_rows_get_one_stamp(world: World) -> None:
    world.faults(rule("kind: equal_stamps, count: 50000, age_s: 300", "nth: 1"))
    rows = query(world).json()["records"]

    assert len({row["SystemModstamp"] for row in rows}) == 1
    assert len(rows) == len(live(world))


def test_its_clock_can_be_minutes_off(world: World) -> None:
    world.faults("", "salesforce: {clock_skew_s: -240}")
    row_id = next(iter(live(world)))
    answer = world.salesforce("PATCH", f"/sobjects/Contact/{row_id}", json={"Title": "Earlier"})
    off = parsedate_to_datetime(answer.headers["Date"]) - world.sandbox.clock.now()

    assert abs(off + timedelta(seconds=240)) < timedelta(seconds=3)

    stamp = datetime.strptime(live(world)[row_id]["SystemModstamp"], "%Y-%m-%dT%H:%M:%S.000%z")

    assert abs(stamp - world.sandbox.clock.now() + timedelta(seconds=240)) < timedelta(seconds=3)


PURPOSES: list[tuple[str, str, str, dict[str, Any]]] = [
    ("read", "GET", "/query", {"params": {"q": QUERY}}),
    ("schema", "GET", "/query", {"params": {"q": "SELECT Id FROM Organization"}}),
    ("schema", "GET", "/sobjects/Contact/describe", {}),
    ("read", "POST", "/composite/sobjects/Contact", {"json": {"ids": ["x"], "fields": ["Id"]}}),
    ("write", "PATCH", "/composite/sobjects", {"json": {"records": []}}),
    ("write", "POST", "/sobjects/Contact", {"json": {}}),
    ("other", "GET", "/limits", {}),
    (
        "read",
        "POST",
        "/composite",
        {"json": {"compositeRequest": [{"method": "GET", "url": "/services/data/v65.0/query?q=x"}]}},
    ),
    (
        "write",
        "POST",
        "/composite",
        {"json": {"compositeRequest": [{"method": "PATCH", "url": "/services/data/v65.0/sobjects/Contact/1"}]}},
    ),
    ("read", "POST", "/composite", {"data": "no json"}),
]


@pytest.mark.parametrize(("purpose", "method", "path", "options"), PURPOSES)
def test_requests_are_told_apart_by_purpose(
    world: World, purpose: str, method: str, path: str, options: dict[str, Any]
) -> None:
    kinds = ("read", "write", "schema", "other", "sign_in")
    world.faults(
        ",".join(
            rule(f"kind: refuse, status: {410 + at}, code: X", f"purpose: {each}") for at, each in enumerate(kinds)
        )
    )

    assert world.salesforce(method, path, **options).status_code == 410 + kinds.index(purpose)


def test_one_seed_and_one_order_of_requests_give_the_same_story(world: World) -> None:
    rules = ",".join(
        (
            rule("kind: refuse, status: 503", "probability: 0.3"),
            rule("kind: edit_rows, count: 2, values: {Title: Story}", "probability: 0.5"),
            rule("kind: short_pages, smallest: 3, largest: 30", "path: /query"),
        )
    )

    def story(seed: int) -> list[Any]:
        for row_id in live(world):
            world.sandbox.salesforce.update_as_user("Contact", row_id, Title=None)
        world.faults(rules, f"seed: {seed}")
        results = []
        for _ in range(12):
            answer = query(world)
            results.append(
                (answer.status_code, len(answer.json()[:1] if answer.status_code == 503 else answer.json()["records"]))
            )
        return [*results, [row_id for row_id, row in live(world).items() if row["Title"] == "Story"]]

    assert story(1) == story(1)
    assert story(1) != story(2)
