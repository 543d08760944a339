"""Tokens: three ways to get one, one log-in for all who share it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.core.errors import AuthenticationError, SettingsError, UnreachableError
from ringfence.core.ports.services import MemoryTokens
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

from ..conftest import Script

Connect = Callable[..., SalesforceCrm]
TOKEN = "POST /services/oauth2/token"


@pytest.mark.parametrize("way", ["client", "bearer"])
def test_oauth_logs_in_once_and_again_when_the_token_expires(
    connect: Connect, org: SalesforceOrg, request: pytest.FixtureRequest, way: str
) -> None:
    crm = connect(settings=request.getfixturevalue(way))

    assert crm.identify().id == org.org_id
    assert crm.calls == {"login": 2}  # the token, and the org

    org.expire_tokens()

    assert list(crm.open_feed({}).changed())
    assert org.requests[TOKEN] == 2


def test_connectors_that_share_a_store_log_in_once(
    connect: Connect, org: SalesforceOrg, client: dict[str, Any]
) -> None:
    tokens = MemoryTokens()
    for _ in range(3):
        connect(settings=client, tokens=tokens).identify()

    assert org.requests[TOKEN] == 1


def test_threads_whose_token_expires_renew_it_once(
    connect: Connect, org: SalesforceOrg, client: dict[str, Any]
) -> None:
    crm = connect(settings=client)
    crm.identify()
    org.expire_tokens()
    ids = sorted(org.rows("Contact"))[:1]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: crm.fetch("Contact", ids), range(12)))

    assert all(len(records) == 1 for records in found)
    assert org.requests[TOKEN] == 2


def test_a_direct_token_cannot_be_renewed(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    crm.identify()
    org.expire_tokens()

    with pytest.raises(AuthenticationError, match="ACCESS_TOKEN") as caught:
        crm.fetch("Contact", ["003000000000001AAA"])

    assert org.access_token not in str(caught.value)
    assert crm.calls == {"login": 1, "read": 1}


def test_a_token_that_stays_refused_ends_after_one_renewal(
    connect: Connect, org: SalesforceOrg, client: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    crm = connect(settings=client)
    monkeypatch.setattr(org.sessions, "knows", lambda _token: False)

    with pytest.raises(AuthenticationError):
        crm.identify()

    assert org.requests[TOKEN] == 2


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"client_secret": "not-the-secret"}, "CLIENT_SECRET"),
        ({"client_id": "not-the-id"}, "CLIENT_ID"),
        ({"login_url": "https://127.0.0.1:1"}, "cannot be reached"),
    ],
)
def test_wrong_client_credentials_are_named(
    connect: Connect, client: dict[str, Any], wrong: dict[str, Any], says: str
) -> None:
    kind = UnreachableError if "login_url" in wrong else AuthenticationError

    with pytest.raises(kind, match=says) as caught:
        connect(settings=client | wrong).identify()

    assert "not-the-secret" not in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"username": "nobody@acme.example"}, "pre-authorise"), ({"client_id": "not-the-id"}, "CLIENT_ID")],
)
def test_a_refused_assertion_says_what_to_do(
    connect: Connect, bearer: dict[str, Any], wrong: dict[str, Any], says: str
) -> None:
    with pytest.raises(AuthenticationError, match=says):
        connect(settings=bearer | wrong).identify()


def test_a_key_that_is_not_registered_is_refused(
    connect: Connect, sandbox: Sandbox, org: SalesforceOrg, key_file: Path
) -> None:
    settings = {
        "login_url": sandbox.salesforce_url,
        "client_id": org.client_id,
        "username": org.username,
        "private_key_file": key_file,
    }

    with pytest.raises(AuthenticationError, match="invalid assertion"):
        connect(settings=settings).identify()


@pytest.mark.parametrize(
    "content", [None, "not a key: hush", "-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----"]
)
def test_a_key_file_that_is_none_is_named(
    connect: Connect, bearer: dict[str, Any], key_file: Path, content: str | None
) -> None:
    key_file.unlink() if content is None else key_file.write_text(content)

    with pytest.raises(SettingsError, match=r"PRIVATE_KEY_FILE names .*acme\.pem") as caught:
        connect(settings=bearer).identify()

    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "body", "error", "says"),
    [
        (200, {"access_token": "t", "instance_url": "http://evil.example"}, SettingsError, "clear text"),
        (200, {"access_token": "t"}, SettingsError, "not a web address"),
        (404, "<html>no such page</html>", AuthenticationError, "LOGIN_URL"),
        (302, "", AuthenticationError, "LOGIN_URL"),
        (400, {"error": "invalid_grant", "error_description": "audience is invalid"}, AuthenticationError, "My Domain"),
        (503, "<html>down</html>", UnreachableError, "HTTP 503"),
    ],
)
def test_strange_answers_to_a_log_in_are_named(
    connect: Connect, script: Script, status: int, body: Any, error: type[Exception], says: str
) -> None:
    script.says(status, body, Location="http://evil.example/")
    settings = {"login_url": script.url, "client_id": "3MVG9", "client_secret": "hush"}

    with pytest.raises(error, match=says) as caught:
        connect(settings=settings).identify()

    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("kind", ["text/html;charset=UTF-8", "Text/HTML"])
@pytest.mark.parametrize("path", ["the log-in", "the data"])
def test_a_web_page_is_told_whatever_is_asked_first(connect: Connect, script: Script, path: str, kind: str) -> None:
    script.says(200, "<html>Lightning</html>", Content_Type=kind)
    settings = {"login_url": script.url, "client_id": "3MVG9", "client_secret": "hush"}
    direct = {"instance_url": script.url, "access_token": "t"}

    with pytest.raises(SettingsError, match="web page") as caught:
        connect(settings=settings if path == "the log-in" else direct).identify()

    assert caught.value.exit_code == 2
    assert "my.salesforce.com" in caught.value.remedy
    assert len(script.seen) == 1


def test_a_host_that_logs_in_and_has_no_api_is_told_too(connect: Connect, script: Script) -> None:
    script.says(200, {"access_token": "t", "instance_url": script.url})
    script.says(200, "<html>Lightning</html>", Content_Type="text/html")
    settings = {"login_url": script.url, "client_id": "3MVG9", "client_secret": "hush"}

    with pytest.raises(SettingsError, match="web page"):
        connect(settings=settings).identify()
