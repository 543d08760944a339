"""Settings from the environment and .env."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.apps.settings import load_settings
from ringfence.apps.wiring import Wiring, wire
from ringfence.core.errors import MappingError, SettingsError


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_defaults_need_nothing() -> None:
    settings = load_settings()

    assert settings.state_url == "sqlite:///ringfence.db"
    assert settings.lookup.providers == []
    assert Wiring(settings).configured_crms() == []
    assert Wiring(settings).policy().max_age_days == 30


def test_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("RINGFENCE_DEFAULT_REGION=fr\nRINGFENCE_LOOKUP__MAX_LOOKUPS=7\n", encoding="utf-8")
    monkeypatch.setenv("RINGFENCE_DEFAULT_REGION", "US")
    settings = load_settings()

    assert settings.default_region == "US"
    assert settings.lookup.max_lookups == 7


def test_empty_values_are_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_ENCRYPTION_KEY", "")
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", "")
    monkeypatch.setenv("RINGFENCE_LOOKUP__MAX_LOOKUPS", "")
    settings = load_settings()

    assert settings.encryption_key is None
    assert settings.lookup.max_lookups is None


def test_the_example_file_can_be_used_as_it_is(tmp_path: Path) -> None:
    example = Path(__file__).resolve().parents[2] / ".env.example"
    (tmp_path / ".env").write_text(example.read_text(encoding="utf-8"), encoding="utf-8")

    assert wire().configured_crms() == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("RINGFENCE_DEFUALT_REGION", "US", "did you mean 'RINGFENCE_DEFAULT_REGION'"),
        ("RINGFENCE_HUBSPOT__TOKEN", "secret-value", "RINGFENCE_HUBSPOT__TOKEN"),
        ("RINGFENCE_DEFAULT_REGION", "Atlantis", "RINGFENCE_DEFAULT_REGION"),
        ("RINGFENCE_LOOKUP__PROVIDERS", "twilio", "RINGFENCE_LOOKUP__PROVIDERS is not JSON"),
        ("RINGFENCE_LOOKUP__PROVIDERS", '"twilio"', "RINGFENCE_LOOKUP__PROVIDERS"),
        ("RINGFENCE_LOOKUP__MAX_LOOKUPS", "-1", "RINGFENCE_LOOKUP__MAX_LOOKUPS"),
        ("RINGFENCE_HUBSPOT__BASE_URL", "http://api.example.com", "clear text"),
    ],
)
def test_wrong_settings_are_named_without_their_value(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert words in str(caught.value)
    assert "secret-value" not in str(caught.value)
    assert caught.value.remedy


def test_lookup_providers_must_exist_and_have_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["twilo"]')
    with pytest.raises(SettingsError, match="did you mean 'twilio'"):
        wire().lookups()

    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["twilio"]')
    with pytest.raises(SettingsError, match="no credentials"):
        wire().lookups()


def test_mappings_folder_wins_and_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "maps"
    monkeypatch.setenv("RINGFENCE_MAPPINGS", str(folder))
    with pytest.raises(SettingsError, match="not a folder"):
        wire().mapping("hubspot")

    folder.mkdir()
    assert list(wire().mapping("hubspot").objects) == ["contacts"]

    (folder / "hubspot.yaml").write_text("crm: hubspot\nobjects: {contacts: {phones: {fax: {}}}}\n", encoding="utf-8")
    assert list(wire().mapping("hubspot").objects["contacts"].phones) == ["fax"]

    (folder / "hubspot.yaml").write_text("crm: salesforce\nobjects: {Contact: {phones: {Fax: {}}}}\n", encoding="utf-8")
    with pytest.raises(MappingError, match="for 'salesforce'"):
        wire().mapping("hubspot")


def test_policies_by_name_and_file(tmp_path: Path) -> None:
    (tmp_path / "short.yaml").write_text("max_age_days: 7\n", encoding="utf-8")

    assert wire().policy(str(tmp_path / "short.yaml")).max_age_days == 7
    with pytest.raises(SettingsError, match="did you mean 'standard'"):
        wire().policy("standart")
