"""Tokens, scopes, rate limits and the account."""

import re
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from ringfence.sandbox.hubspot.portal import HubSpotPortal

from .conftest import NOW, Api

CONTACTS = "/crm/v3/objects/contacts"
RATE_HEADERS = ("X-HubSpot-RateLimit-Max", "X-HubSpot-RateLimit-Remaining", "X-HubSpot-RateLimit-Interval-Milliseconds")


@pytest.mark.parametrize("token", ["", "wrong"])
def test_without_a_good_token_nothing_is_answered(api: Api, token: str) -> None:
    api.token = token
    reply = api("GET", CONTACTS)

    assert (reply.status, reply.body["category"]) == (401, "INVALID_AUTHENTICATION")


def test_every_request_is_counted_by_its_template(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    api("GET", f"{CONTACTS}/{ids[0]}")
    api.search()
    api.token = "wrong"
    api.search()

    assert portal.requests == {
        "GET /crm/v3/objects/{type}/{id}": 1,
        "POST /crm/v3/objects/{type}/search": 2,
    }


def test_the_sixth_search_of_a_second_is_refused_without_retry_after(api: Api, portal: HubSpotPortal) -> None:
    portal.searches.limit = 5
    replies = [api.search(limit=1) for _ in range(6)]

    assert [reply.status for reply in replies] == [200] * 5 + [429]

    refused = replies[-1]
    correlation_id = refused.body.pop("correlationId")

    assert re.fullmatch(r"[0-9a-f-]{36}", correlation_id)
    assert refused.body == {
        "status": "error",
        "message": "You have reached your secondly limit.",
        "category": "RATE_LIMITS",
    }
    assert "Retry-After" not in refused.headers

    for reply in replies:
        assert not [name for name in RATE_HEADERS if name in reply.headers]
        assert "X-HubSpot-RateLimit-Daily-Remaining" in reply.headers

    portal.clock.advance(1.01)

    assert api.search(limit=1).status == 200


def test_other_calls_have_a_rolling_window_of_ten_seconds(api: Api, portal: HubSpotPortal) -> None:
    portal.calls.limit = 3
    replies = [api("GET", CONTACTS, limit=1) for _ in range(4)]

    assert [reply.headers["X-HubSpot-RateLimit-Remaining"] for reply in replies] == ["2", "1", "0", "0"]
    assert [reply.status for reply in replies] == [200, 200, 200, 429]
    assert replies[-1].body["policyName"] == "TEN_SECONDLY_ROLLING"
    assert replies[-1].body["message"] == "You have reached your ten_secondly_rolling limit."
    assert api.search(limit=1).status == 200

    portal.clock.advance(10.01)

    assert api("GET", CONTACTS, limit=1).status == 200


def test_every_answer_carries_the_date_of_the_sandbox_clock(api: Api, portal: HubSpotPortal) -> None:
    portal.clock.advance(3600)
    for reply in (api.search(limit=1), api("GET", f"{CONTACTS}/1")):
        sent = parsedate_to_datetime(reply.headers["Date"])
        assert abs((sent - NOW).total_seconds() - 3600) < 60


def test_the_day_ends_at_midnight(api: Api, portal: HubSpotPortal) -> None:
    portal.daily.limit = 2

    assert [api.search(limit=1).status for _ in range(3)] == [200, 200, 429]
    assert api("GET", CONTACTS).body["policyName"] == "DAILY"

    portal.clock.advance(24 * 3600)

    assert api("GET", CONTACTS).status == 200


def test_a_missing_object_scope_is_named(api: Api, portal: HubSpotPortal, ids: list[str]) -> None:
    portal.scopes.discard("crm.objects.contacts.write")

    assert api.search(limit=1).status == 200

    reply = api.batch("update", [{"id": ids[0], "properties": {"city": "Oslo"}}])

    assert (reply.status, reply.body["category"]) == (403, "MISSING_SCOPES")
    named = reply.body["errors"][0]["context"]["requiredGranularScopes"]
    assert (len(named), "crm.objects.contacts.write" in named) == (31, True)
    assert "city" not in portal.contacts[ids[0]]


def test_unreadable_definitions_have_another_shape(api: Api, portal: HubSpotPortal) -> None:
    portal.scopes -= {"crm.schemas.contacts.read", "crm.objects.contacts.read"}
    reply = api("GET", "/crm/v3/properties/contacts")

    assert reply.status == 403
    assert reply.body.keys() == {"status", "message", "correlationId"}
    assert str(portal.portal_id) in reply.body["message"]


def test_creating_definitions_needs_its_own_scope(api: Api, portal: HubSpotPortal) -> None:
    portal.scopes.discard("crm.schemas.contacts.write")
    reply = api("POST", "/crm/v3/properties/contacts/groups", {"name": "g", "label": "G"})

    assert reply.body["errors"][0]["context"]["requiredGranularScopes"] == ["crm.schemas.contacts.write"]


def test_the_account_says_what_it_is_and_what_is_used(api: Api, portal: HubSpotPortal) -> None:
    details = api("GET", "/account-info/v3/details").body

    assert (details["portalId"], details["accountType"]) == (portal.portal_id, "SANDBOX")

    usage = api("GET", "/account-info/v3/api-usage/daily/private-apps").body["results"][0]

    assert (usage["currentUsage"], usage["usageLimit"]) == (2, portal.daily.limit)
    assert usage["resetsAt"] == "2026-11-21T00:00:00Z"


@pytest.mark.parametrize(("method", "path"), [("GET", "/crm/v4/anything"), ("PUT", CONTACTS), ("GET", "/")])
def test_paths_that_do_not_exist_pass_the_gate_too(api: Api, portal: HubSpotPortal, method: str, path: Any) -> None:
    assert api(method, path).status == 404
    assert portal.daily.used == 1

    api.token = "wrong"

    assert api(method, path).status == 401
    assert portal.requests == {"ANY /{path:path}": 2}
