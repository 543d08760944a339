"""What every request passes: tokens, counting, quota, clock; and how tokens are got."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ringfence.sandbox.salesforce.traits import SalesforceTraits

from .conftest import Api

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def ask_token(api: Api, form: dict[str, str], **options: Any) -> tuple[int, Any]:
    response = requests.post(f"{api.root}/services/oauth2/token", data=form, timeout=10, **options)
    return response.status_code, response.json()


def assertion(api: Api, **changes: object) -> dict[str, str]:
    claims = {
        "iss": api.org.client_id,
        "sub": api.org.username,
        "aud": "https://test.salesforce.com",
        "exp": str(int(api.org.clock.now().timestamp()) + 180),
    }
    return {"grant_type": JWT_BEARER, "assertion": jwt.encode({**claims, **changes}, KEY, algorithm="RS256")}


def test_every_data_call_counts_once(api: Api) -> None:
    for number, path in enumerate(("/limits", "/sobjects/Contact/describe/", "/query?q=SELECT+COUNT()+FROM+Lead"), 1):
        response = api("GET", path)
        assert response.headers["Sforce-Limit-Info"] == f"api-usage={number}/100000"

    assert api("GET", "/query?q=nonsense").headers["Sforce-Limit-Info"] == "api-usage=4/100000"

    api.org.app_limit = ("ringfence", 250)
    usage = api("GET", "/limits").headers["Sforce-Limit-Info"]

    assert usage == "api-usage=5/100000; per-app-api-usage=5/250(appName=ringfence)"
    assert api.org.requests == {
        "GET /limits": 2,
        "GET /sobjects/{object_name}/describe": 1,
        "GET /query": 2,
    }


def test_the_daily_quota_ends_in_403(api: Api) -> None:
    api.org.api_limit = 1

    assert api("GET", "/limits").json()["DailyApiRequests"] == {"Max": 1, "Remaining": 0}
    assert api.refusal("GET", "/limits") == (
        403,
        {"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"},
    )
    assert api.org.api_usage == 1


def test_a_call_counts_for_24_hours(api: Api, clock: Any) -> None:
    api.org.api_limit, api.org.api_usage = 10, 8
    clock.advance(80_000)

    assert [api("GET", "/limits").status_code for _ in range(3)] == [200, 200, 403]

    clock.advance(6_400)

    assert api("GET", "/limits").headers["Sforce-Limit-Info"] == "api-usage=3/10"

    clock.advance(80_000)

    assert api("GET", "/limits").headers["Sforce-Limit-Info"] == "api-usage=2/10"

    api.org.api_usage = 1

    assert api.org.api_usage == 1


@pytest.mark.parametrize("header", ["Bearer wrong", "Basic x", ""])
def test_a_bad_token_is_refused_with_a_list(api: Api, header: str) -> None:
    response = api("GET", "/limits", headers={"Authorization": header})

    assert response.status_code == 401
    assert response.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    assert api.org.api_usage == 0


def test_tokens_expire_and_can_be_renewed(api: Api) -> None:
    api.org.expire_tokens()

    assert api.refusal("GET", "/limits")[0] == 401

    form = {"grant_type": "client_credentials", "client_id": api.org.client_id, "client_secret": api.org.client_secret}
    status, body = ask_token(api, form)

    assert (status, body["access_token"], body["instance_url"]) == (200, api.org.access_token, api.root)
    assert body["token_type"] == "Bearer"
    assert body["id"].endswith(f"{api.org.org_id}/{api.org.user_id}")
    assert api("GET", "/limits").status_code == 200


def test_client_credentials_by_basic_header(api: Api) -> None:
    form = {"grant_type": "client_credentials"}

    assert ask_token(api, form, auth=(api.org.client_id, api.org.client_secret))[0] == 200

    wrong = ask_token(api, form, auth=(api.org.client_id, "x"))

    assert wrong == (400, {"error": "invalid_client", "error_description": "invalid client credentials"})
    assert ask_token(api, form, auth=("x", "x"))[1]["error"] == "invalid_client_id"
    assert ask_token(api, form, headers={"Authorization": "Basic ?"})[1]["error"] == "invalid_client"
    assert ask_token(api, {"grant_type": "password"})[1]["error"] == "unsupported_grant_type"


def test_jwt_bearer_takes_a_signed_assertion_with_a_string_expiry(api: Api) -> None:
    api.org.register_public_key(PUBLIC)

    assert ask_token(api, assertion(api))[0] == 200


@pytest.mark.parametrize(
    ("traits", "taken"),
    [
        ({}, {"https://test.salesforce.com"}),
        ({"production": True}, {"https://login.salesforce.com"}),
        ({"own_audience": True}, {"https://test.salesforce.com", "OWN"}),
    ],
)
def test_the_audience_is_the_log_in_page_of_such_orgs(api: Api, traits: dict[str, Any], taken: set[str]) -> None:
    api.org.register_public_key(PUBLIC)
    api.org.traits = SalesforceTraits(**traits)

    tried = {"https://login.salesforce.com", "https://test.salesforce.com", api.root}
    answers = {each: ask_token(api, assertion(api, aud=each))[0] for each in tried}

    assert {each.replace(api.root, "OWN") for each, status in answers.items() if status == 200} == taken


def test_jwt_bearer_needs_an_app_with_the_scope_refresh_token(api: Api) -> None:
    api.org.register_public_key(PUBLIC)
    api.org.traits = SalesforceTraits(app_scopes=("api",))

    status, body = ask_token(api, assertion(api))

    assert (status, body["error"]) == (400, "invalid_request")
    assert body["error_description"].startswith("refresh_token scope is required")
    form = {"grant_type": "client_credentials"}
    assert ask_token(api, form, auth=(api.org.client_id, api.org.client_secret))[0] == 200


@pytest.mark.parametrize(
    ("claims", "error", "description"),
    [
        ({"iss": "x"}, "invalid_client_id", "client identifier invalid"),
        ({"aud": "https://elsewhere.example"}, "invalid_grant", "audience is invalid"),
        ({"sub": "x@example.com"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"exp": "1"}, "invalid_grant", "expired authorization code"),
        ({"exp": "99999999999"}, "invalid_grant", "invalid expiration"),
        ({"exp": "soon"}, "invalid_grant", "invalid assertion"),
    ],
)
def test_jwt_bearer_refusals(api: Api, claims: dict[str, object], error: str, description: str) -> None:
    api.org.register_public_key(PUBLIC.decode())
    assert ask_token(api, assertion(api, **claims)) == (400, {"error": error, "error_description": description})


def test_jwt_bearer_needs_the_registered_key(api: Api) -> None:
    form = assertion(api)

    assert ask_token(api, form)[1]["error_description"] == "invalid assertion"

    api.org.register_public_key(PUBLIC)
    tampered = {**form, "assertion": form["assertion"][:-6] + "AAAAAA"}

    assert ask_token(api, tampered)[1]["error_description"] == "invalid assertion"


def test_userinfo_names_user_and_org(api: Api) -> None:
    body = api("GET", "/services/oauth2/userinfo").json()

    assert (body["user_id"], body["organization_id"]) == (api.org.user_id, api.org.org_id)
    assert body["preferred_username"] == api.org.username

    api.org.expire_tokens()
    response = api("GET", "/services/oauth2/userinfo")

    assert (response.status_code, response.text) == (403, "Bad_OAuth_Token")
    assert api.org.api_usage == 0


@pytest.mark.parametrize(("userinfo", "status"), [("forbidden", 403), ("missing", 404)])
def test_a_token_without_the_users_details_still_learns_who_it_is(api: Api, userinfo: Any, status: int) -> None:
    api.org.traits = SalesforceTraits(userinfo=userinfo)

    assert api("GET", "/services/oauth2/userinfo").status_code == status
    address = api("GET", "").json()["identity"]
    body = api("GET", address.removeprefix(api.org.instance_url)).json()

    assert address.endswith(f"/id/{api.org.org_id}/{api.org.user_id}")
    assert (body["user_id"], body["username"]) == (api.org.user_id, api.org.username)


def test_the_address_of_the_user_needs_a_session_and_the_right_ids(api: Api) -> None:
    path = api.org.identity.removeprefix(api.org.instance_url)

    assert api("GET", path[:-3] + "XYZ").status_code == 404
    api.org.expire_tokens()
    assert api("GET", path).status_code == 403


def test_the_date_header_follows_the_orgs_clock(api: Api, clock: Any) -> None:
    assert api("GET", "/limits").headers["Date"] == "Tue, 24 Nov 2026 12:00:30 GMT"

    clock.advance(3600)

    assert api("GET", "/limits").headers["Date"] == "Tue, 24 Nov 2026 13:00:30 GMT"

    clock.advance(-7200)

    assert api("GET", "/limits").headers["Date"] == "Tue, 24 Nov 2026 11:00:30 GMT"


def test_versions_and_resources(api: Api) -> None:
    versions = requests.get(f"{api.root}/services/data/", timeout=10).json()

    assert versions[0] == {"label": "Summer '14", "url": "/services/data/v31.0", "version": "31.0"}
    assert versions[-1] == {"label": "Winter '27", "url": "/services/data/v68.0", "version": "68.0"}
    assert api("GET", "/services/data/v50.0/").json()["query"] == "/services/data/v50.0/query"


def test_unknown_urls_and_methods(api: Api) -> None:
    for path in (
        "/services/data/v65.0/nothing",
        "/services/data/latest/limits",
        "/elsewhere",
        "/services/oauth2/token",
    ):
        assert api.refusal("GET", path if path.startswith("/services") else f"/services{path}")[0] == 404

    status, error = api.refusal("DELETE", "/limits")

    assert (status, error["errorCode"]) == (405, "METHOD_NOT_ALLOWED")
    assert error["message"] == "HTTP Method 'DELETE' not allowed. Allowed are GET"
