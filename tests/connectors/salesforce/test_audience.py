"""Whom the assertion of a JWT log-in is made out to, and what a refusal tells the user to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringfence.connectors.salesforce.assertion import find_audiences
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.connectors.salesforce.settings import SalesforceSettings
from ringfence.core.errors import AuthenticationError
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.salesforce.traits import SalesforceTraits

from ..conftest import Script

Connect = Callable[..., SalesforceCrm]
TOKEN = "POST /services/oauth2/token"
LOGIN, TEST = "https://login.salesforce.com", "https://test.salesforce.com"


@pytest.mark.parametrize(
    ("login_url", "audiences"),
    [
        (LOGIN, [LOGIN]),
        (TEST, [TEST]),
        ("https://acme.my.salesforce.com", [LOGIN, TEST]),
        ("https://acme-dev-ed.develop.my.salesforce.com", [LOGIN, TEST]),
        ("https://acme.my.salesforce.mil", [LOGIN, TEST]),
        ("https://acme--uat.sandbox.my.salesforce.com", [TEST, LOGIN]),
        ("https://acme--uat.sandbox.my.salesforce.mil", [TEST, LOGIN]),
        ("https://acme--uat.my.salesforce.com", [TEST, LOGIN]),
        ("https://acme--uat.cs42.my.salesforce.com", [TEST, LOGIN]),
        ("https://speed-ruby-123-dev-ed.scratch.my.salesforce.com", [TEST, LOGIN]),
        ("https://cs42.salesforce.com", [TEST, LOGIN]),
        ("https://usa2s.sfdc-abc.salesforce.com", [TEST, LOGIN]),
        ("http://127.0.0.1:8461", ["http://127.0.0.1:8461", LOGIN, TEST]),
        ("https://crm.acme.example", ["https://crm.acme.example"]),
        ("https://login.salesforce.com.evil.example", ["https://login.salesforce.com.evil.example"]),
    ],
)
def test_the_log_in_address_tells_the_audience(login_url: str, audiences: list[str]) -> None:
    assert find_audiences(SalesforceSettings(login_url=login_url)) == audiences


def test_the_setting_wins() -> None:
    settings = SalesforceSettings(
        login_url="https://acme.my.salesforce.com", audience="https://acme.my.site.com/people"
    )

    assert find_audiences(settings) == ["https://acme.my.site.com/people"]


def test_an_audience_that_is_refused_makes_room_for_the_next(
    connect: Connect, org: SalesforceOrg, bearer: dict[str, Any]
) -> None:
    crm = connect(settings=bearer | {"audience": None})

    assert crm.identify().id == org.org_id
    assert org.requests[TOKEN] == 3

    org.expire_tokens()
    crm.fetch("Contact", sorted(org.rows("Contact"))[:1])

    assert org.requests[TOKEN] == 4  # the one that was taken is asked for at once


@pytest.mark.parametrize("audience", [None, LOGIN])
def test_a_wrong_audience_is_named_with_the_setting(
    connect: Connect, org: SalesforceOrg, bearer: dict[str, Any], audience: str | None
) -> None:
    org.traits = SalesforceTraits(production=audience is None)
    wrong = {"audience": audience or TEST}

    with pytest.raises(AuthenticationError, match="audience is invalid") as caught:
        connect(settings=bearer | wrong).identify()

    assert all(word in str(caught.value.remedy) for word in ("SALESFORCE__AUDIENCE", LOGIN, TEST, "My Domain"))


def test_a_missing_scope_is_named(connect: Connect, org: SalesforceOrg, bearer: dict[str, Any]) -> None:
    org.traits = SalesforceTraits(app_scopes=("api",))

    with pytest.raises(AuthenticationError, match="refresh_token scope is required") as caught:
        connect(settings=bearer).identify()

    assert "scopes api and refresh_token" in str(caught.value.remedy)
    assert "SALESFORCE__AUDIENCE" in str(caught.value.remedy)


def test_a_key_goes_to_no_foreign_host_for_salesforce(key_file: Path) -> None:
    settings = SalesforceSettings(login_url="https://crm.acme.example", private_key_file=key_file)

    assert not {LOGIN, TEST} & set(find_audiences(settings))


@pytest.mark.parametrize(
    "words",
    [
        "audience is invalid",
        "Audience is invalid [audience=x]",
        "aud must be either login or test",
        f"expected {LOGIN}",
    ],
)
def test_a_refused_audience_is_known_in_all_the_words_it_has(
    connect: Connect, script: Script, key_file: Path, words: str
) -> None:
    script.says(400, {"error": "invalid_grant", "error_description": words})
    settings = {"login_url": script.url, "client_id": "3MVG9", "username": "u", "private_key_file": key_file}

    with pytest.raises(AuthenticationError, match="refused the log-in") as caught:
        connect(settings=settings).identify()

    assert len(script.seen) == 3  # its own address, and both log-in pages
    assert "SALESFORCE__AUDIENCE" in str(caught.value.remedy)
