"""Which settings are enough, and which are refused."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.connectors.salesforce import plugin
from ringfence.connectors.salesforce.settings import LogIn, SalesforceSettings
from ringfence.core.errors import SettingsError
from ringfence.core.ports.services import Services
from testkit.clock import SetClock

URL = "https://acme.my.salesforce.com"
DIRECT = {"instance_url": URL, "access_token": "00D!secret"}
CLIENT = {"login_url": URL, "client_id": "3MVG9", "client_secret": "hush"}
JWT = {"login_url": URL, "client_id": "3MVG9", "username": "api@acme.example", "private_key_file": "/keys/acme.pem"}


@pytest.mark.parametrize(
    ("values", "way"), [(DIRECT, LogIn.DIRECT), (CLIENT, LogIn.CLIENT_CREDENTIALS), (JWT, LogIn.JWT_BEARER)]
)
def test_each_complete_way_is_enough(values: dict[str, Any], way: LogIn) -> None:
    settings = SalesforceSettings(**values)

    assert plugin.configured(settings)
    assert settings.log_in is way


@pytest.mark.parametrize("values", [{}, {"api_version": "66.0"}, {"access_token": "", "instance_url": " "}])
def test_nothing_set_is_not_configured(values: dict[str, Any]) -> None:
    assert not plugin.configured(SalesforceSettings(**values))


@pytest.mark.parametrize(
    ("whole", "lacking"),
    [
        (DIRECT, "access_token"),
        (DIRECT, "instance_url"),
        (CLIENT, "client_secret"),
        (CLIENT, "client_id"),
        (JWT, "private_key_file"),
        (JWT, "login_url"),
    ],
)
def test_half_a_way_names_what_is_missing(whole: dict[str, Any], lacking: str) -> None:
    values = {name: value for name, value in whole.items() if name != lacking}

    with pytest.raises(SettingsError, match=f"RINGFENCE_SALESFORCE__{lacking.upper()}") as caught:
        plugin.configured(SalesforceSettings(**values))

    assert "hush" not in str(caught.value)
    assert "secret" not in str(caught.value).lower().replace("client_secret", "")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://acme.my.salesforce.com", "clear text"),
        ("http://127.0.0.1.evil.example", "clear text"),
        ("http://127.0.0.1@evil.example", "not a web address"),
        ("acme.my.salesforce.com", "not a web address"),
        ("ftp://acme.my.salesforce.com", "not a web address"),
    ],
)
@pytest.mark.parametrize("name", ["instance_url", "login_url"])
def test_unsafe_addresses_are_refused_by_name(url: str, says: str, name: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        SalesforceSettings(**{name: url})
    assert f"RINGFENCE_SALESFORCE__{name.upper()}" in str(caught.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/", "http://localhost:8080", "http://[::1]:8080/"])
def test_clear_text_is_for_this_machine(url: str) -> None:
    assert SalesforceSettings(instance_url=url).instance_url == url.rstrip("/")


@pytest.mark.parametrize(
    ("version", "kept"), [("v66.0", "66.0"), ("65.0", "65.0"), (" 68.0 ", "68.0"), ("", "65.0"), (66.0, "66.0")]
)
def test_versions_are_written_either_way(version: Any, kept: str) -> None:
    assert SalesforceSettings(api_version=version).api_version == kept


def test_other_versions_are_refused() -> None:
    with pytest.raises(SettingsError, match="API_VERSION"):
        SalesforceSettings(api_version="latest")


@pytest.mark.parametrize(("given", "kept"), [("0", 0), (95, 95), ("", 20), (None, 20)])
def test_the_daily_reserve_is_a_percentage(given: Any, kept: int) -> None:
    assert SalesforceSettings(daily_reserve=given).daily_reserve == kept


@pytest.mark.parametrize("given", [-1, 96, "half"])
def test_a_reserve_that_leaves_next_to_nothing_is_refused(given: Any) -> None:
    with pytest.raises(ValueError, match="daily_reserve"):
        SalesforceSettings(daily_reserve=given)


def test_secrets_are_not_shown() -> None:
    shown = repr(SalesforceSettings(**DIRECT, **CLIENT))

    assert "hush" not in shown
    assert "00D!secret" not in shown


def test_connecting_without_a_way_to_log_in_is_refused(clock: SetClock) -> None:
    with pytest.raises(SettingsError, match="No way to log in"):
        plugin.connect(SalesforceSettings(), {}, Services(clock))
