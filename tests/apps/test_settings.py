"""Settings from the environment and .env."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.apps.environment import read_log_format
from ringfence.apps.log_format import LogFormat
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
    assert Wiring(settings).accounts() == []
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

    assert wire().accounts() == []


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
        ("RINGFENCE_HUBSPOT__BASE_URL", "https://[::1", "RINGFENCE_HUBSPOT__BASE_URL is not a web address"),
        ("RINGFENCE_HUBSPOT__BASE_URL", "https://secret-value:port", "RINGFENCE_HUBSPOT__BASE_URL is not a web"),
        ("RINGFENCE_HUBSPOT__BASE_URL", "https://secret value", "RINGFENCE_HUBSPOT__BASE_URL is not a web"),
        ("RINGFENCE_HUBSPOT__BASE_URL", "https://api.example.com?to=x", "RINGFENCE_HUBSPOT__BASE_URL is not a web"),
        ("RINGFENCE_HUBSPOT__BASE_URL", "https://api.example\n.com", "RINGFENCE_HUBSPOT__BASE_URL holds a line break"),
        ("RINGFENCE_SALESFORCE__INSTANCE_URL", "https://a:99999", "RINGFENCE_SALESFORCE__INSTANCE_URL is not a web"),
        ("RINGFENCE_HUBSPOT__ACCESS_TOKEN", "secret-value\nX: y", "RINGFENCE_HUBSPOT__ACCESS_TOKEN holds a line break"),
        ("RINGFENCE_HUBSPOT__ACCESS_TOKEN", "secret-value\r", "RINGFENCE_HUBSPOT__ACCESS_TOKEN holds a line break"),
        ("RINGFENCE_SALESFORCE__ACCESS_TOKEN", "secret-value\x1b[31m", "holds a control character (U+001B)"),
        ("RINGFENCE_TWILIO__AUTH_TOKEN", "\u201csecret-value\u201d", "holds a sign that no credential has"),
        ("RINGFENCE_TWILIO__ACCOUNT_SID", "secret-value\u00e9", "holds a sign that no credential has"),
        ("RINGFENCE_ENCRYPTION_KEY", "secret-value\n=", "RINGFENCE_ENCRYPTION_KEY holds a line break"),
        ("RINGFENCE_POLICY", "standard\x07", "RINGFENCE_POLICY holds a control character"),
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


def test_a_list_may_stand_on_several_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '[\n\t"twilio"\n]')

    assert load_settings().lookup.providers == ["twilio"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_the_file_is_read_in_every_encoding_that_it_names(tmp_path: Path, encoding: str) -> None:
    (tmp_path / ".env").write_text("RINGFENCE_POLICY=größer.yaml\n", encoding=encoding)

    assert load_settings().policy == "größer.yaml"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("RINGFENCE_LOG=text\nRINGFENCE_POLICY=größer.yaml\n".encode("latin-1"), "line 2 is not"),
        ("RINGFENCE_POLICY=x\n".encode("utf-16-le"), "null bytes"),
    ],
)
def test_a_file_in_an_encoding_that_nobody_can_know_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / ".env").write_bytes(content)

    with pytest.raises(SettingsError, match=words) as caught:
        load_settings()

    assert "UTF-8" in caught.value.remedy
    assert read_log_format() is LogFormat.TEXT


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    (tmp_path / ".env").touch()
    monkeypatch.setattr(Path, "read_bytes", refuse)

    with pytest.raises(SettingsError, match=r"\.env cannot be read: Permission denied"):
        load_settings()


def test_a_file_that_others_may_read_is_warned_about_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / ".env"
    file.touch(0o600)
    load_settings()
    assert caplog.messages == []

    file.chmod(0o644)
    for _ in range(2):
        load_settings()

    assert caplog.messages == [
        "the settings file .env is open to other users of this machine; `chmod 600` makes it yours alone"
    ]


@pytest.mark.parametrize(
    ("address", "warned"),
    [("https://elsewhere.example", True), ("https://api.hubapi.com", False), ("http://127.0.0.1:8080", False)],
)
def test_a_file_that_leads_a_token_of_the_environment_elsewhere_is_warned_about(
    address: str, warned: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / ".env"
    file.touch(0o600)
    file.write_text(f"RINGFENCE_HUBSPOT__BASE_URL={address}\n", encoding="utf-8")
    load_settings()
    assert caplog.messages == []

    monkeypatch.setenv("RINGFENCE_HUBSPOT__ACCESS_TOKEN", "secret-value")
    load_settings()

    words = "RINGFENCE_HUBSPOT__BASE_URL in .env sends the credentials of the environment to elsewhere.example"
    assert caplog.messages == ([words] if warned else [])


def test_a_private_key_that_others_may_read_is_warned_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "server.key").touch(0o600)
    monkeypatch.setenv("RINGFENCE_SALESFORCE__PRIVATE_KEY_FILE", "server.key")
    load_settings()
    assert caplog.messages == []

    (tmp_path / "server.key").chmod(0o604)
    load_settings()

    (words,) = caplog.messages
    assert words.startswith("the private key file is open to other users")


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
