"""The folder of accounts: names, files, and which settings count for whom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ringfence.apps.wiring import Wiring, wire
from ringfence.core.errors import MappingError, SettingsError, UsageError

PORTAL = "RINGFENCE_HUBSPOT__ACCESS_TOKEN=pat-na1-{name}\n"
ORG = "RINGFENCE_SALESFORCE__INSTANCE_URL=https://{name}.my.salesforce.com\nRINGFENCE_SALESFORCE__ACCESS_TOKEN=00D!{name}\n"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write an account's file, in the folder that RINGFENCE_ACCOUNTS names."""
    folder = tmp_path / "accounts"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RINGFENCE_ACCOUNTS", "accounts")

    def write_file(name: str, text: str = PORTAL) -> Path:
        file = folder / f"{name}.env"
        file.touch(0o600)
        file.write_text(text.format(name=name), encoding="utf-8")
        return file

    return write_file


def refusal_of(act: Callable[[], object]) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        act()
    assert "pat-na1" not in str(caught.value)
    assert caught.value.remedy
    return caught.value


def token_of(wiring: Wiring, crm: str = "hubspot") -> str:
    token: str = wiring.settings.connectors[crm].access_token.get_secret_value()  # type: ignore[attr-defined]  # the plugin's own model
    return token


def test_each_file_is_an_account_by_its_name(write: Write) -> None:
    write("globex")
    write("Acme-1", ORG)
    write("README", "").rename("accounts/README.txt")
    write(".#globex", "")
    Path("accounts/venv.env").mkdir()

    wiring = wire()

    assert wiring.accounts() == ["Acme-1", "globex"]
    assert [wiring.of(name).account.crm for name in wiring.accounts()] == ["salesforce", "hubspot"]  # type: ignore[union-attr]  # of() sets it
    assert token_of(wiring.of("globex")) == "pat-na1-globex"


def test_without_a_folder_the_accounts_are_the_crms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RINGFENCE_HUBSPOT__ACCESS_TOKEN", "pat-na1-one")

    assert wire().accounts() == ["hubspot"]
    assert wire().of("hubspot").settings == wire().settings


def test_what_the_file_says_wins_for_its_account_alone(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("acme", f"{PORTAL}RINGFENCE_DEFAULT_REGION=fr\nRINGFENCE_LOOKUP__MAX_LOOKUPS=7\nRINGFENCE_LEDGER=client\n")
    write("globex", f"{PORTAL}RINGFENCE_DEFAULT_REGION=\n")
    monkeypatch.setenv("RINGFENCE_DEFAULT_REGION", "US")
    monkeypatch.setenv("RINGFENCE_LOOKUP__MAX_LOOKUPS", "99")

    acme, globex = (wire().of(name).settings for name in ("acme", "globex"))

    assert (acme.default_region, acme.lookup.max_lookups, acme.ledger) == ("FR", 7, "client")
    assert (globex.default_region, globex.lookup.max_lookups, globex.ledger) == ("US", 99, None)


def test_no_credential_of_the_environment_gets_into_an_account(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    jwt = "RINGFENCE_SALESFORCE__{}\n"
    half = [
        jwt.format(each) for each in ("LOGIN_URL=https://a.my.salesforce.com", "CLIENT_ID=x", "USERNAME=u@a.example")
    ]
    write("acme", "".join([*half, jwt.format("PRIVATE_KEY_FILE=a.key")]))
    write("bare", "".join(half))
    monkeypatch.setenv("RINGFENCE_SALESFORCE__INSTANCE_URL", "https://other.my.salesforce.com")
    monkeypatch.setenv("RINGFENCE_SALESFORCE__ACCESS_TOKEN", "00D!other")
    monkeypatch.setenv("RINGFENCE_SALESFORCE__PRIVATE_KEY_FILE", "other.key")
    monkeypatch.setenv("RINGFENCE_SALESFORCE__API_VERSION", "64.0")

    salesforce = wire().of("acme").settings.connectors["salesforce"]

    assert salesforce.access_token is None  # type: ignore[attr-defined]  # the plugin's own model
    assert salesforce.api_version == "64.0"  # type: ignore[attr-defined]  # likewise
    assert "PRIVATE_KEY_FILE" in str(refusal_of(lambda: wire().of("bare")))


def test_the_credentials_of_a_provider_are_all_shared_or_all_its_own(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFENCE_TWILIO__ACCOUNT_SID", "AC7")
    monkeypatch.setenv("RINGFENCE_TWILIO__AUTH_TOKEN", "shared")
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["twilio"]')
    write("acme")
    write("globex", f"{PORTAL}RINGFENCE_TWILIO__ACCOUNT_SID=AC8\n")

    assert len(wire().of("acme").lookups()) == 1
    with pytest.raises(SettingsError, match="twilio has no credentials"):
        wire().of("globex").lookups()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds the credentials of no CRM"),
        ("RINGFENCE_HUBSPOT__BASE_URL=https://api.hubapi.com\n", "holds the credentials of no CRM"),
        (
            PORTAL + ORG,
            "several CRMs: RINGFENCE_HUBSPOT__ACCESS_TOKEN and RINGFENCE_SALESFORCE__ACCESS_TOKEN",
        ),
        ("RINGFENCE_HUBSPOT__CLIENT_SECRET=pat-na1-x\n", "the credentials of hubspot are not complete"),
        ("RINGFENCE_SALESFORCE__ACCESS_TOKEN=pat-na1-x\n", "RINGFENCE_SALESFORCE__INSTANCE_URL"),
        (f"{PORTAL}RINGFENCE_DEFUALT_REGION=US\n", "did you mean 'RINGFENCE_DEFAULT_REGION'"),
        (f"{PORTAL}RINGFENCE_DEFAULT_REGION=Atlantis\n", "RINGFENCE_DEFAULT_REGION: it is no ISO"),
        (f"{PORTAL}RINGFENCE_STATE_URL=sqlite:///x.db\n", "RINGFENCE_STATE_URL is the same for all accounts"),
        (f"{PORTAL}RINGFENCE_ENCRYPTION_KEY=pat-na1-x\n", "RINGFENCE_ENCRYPTION_KEY is the same for all"),
        (f"{PORTAL}RINGFENCE_ACCOUNTS=elsewhere\n", "RINGFENCE_ACCOUNTS is the same for all accounts"),
        (f"{PORTAL}RINGFENCE_LOG=json\n", "RINGFENCE_LOG is the same for all accounts"),
        (f"{PORTAL}RINGFENCE_LOOKUP__PROVIDERS=twilio\n", "RINGFENCE_LOOKUP__PROVIDERS is not JSON"),
        ("RINGFENCE_HUBSPOT__ACCESS_TOKEN=\u201cpat-na1-x\u201d\n", "holds a sign that no credential has"),
    ],
)
def test_a_wrong_file_is_named_and_keeps_no_other_account_from_its_work(write: Write, text: str, words: str) -> None:
    file = write("acme", text)
    write("globex")

    wiring = wire()

    refusal = str(refusal_of(lambda: wiring.of("acme")))
    assert refusal.startswith(f"{Path('accounts') / file.name}: ")
    assert words in refusal
    assert wiring.of("globex").name == "globex"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("acme corp", "no account can have this name"),
        ("-acme", "no account can have this name"),
        ("acmé", "no account can have this name"),
        ("a" * 41, "no account can have this name"),
        ("default", "the queue of work that is about no account"),
        ("State", "work on the state itself"),
        ("GLOBEX", "differ in upper and lower case alone"),
    ],
)
def test_a_name_that_no_account_can_have_is_refused(write: Write, name: str, words: str) -> None:
    write("globex")
    write(name)

    assert words in str(refusal_of(wire))


def test_the_name_of_a_crm_is_for_an_account_of_that_crm(write: Write) -> None:
    write("hubspot")
    write("salesforce")

    assert wire().of("hubspot").name == "hubspot"
    assert "holds the credentials of hubspot" in str(refusal_of(lambda: wire().of("salesforce")))


def test_a_folder_that_holds_nothing_or_is_not_there_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "there is no file NAME.env" in str(refusal_of(wire))

    write("acme")
    monkeypatch.setenv("RINGFENCE_ACCOUNTS", "acounts")
    assert "not a folder: acounts" in str(refusal_of(wire))


def test_an_account_that_is_not_there_is_answered_with_those_that_are(write: Write) -> None:
    write("acme")
    write("globex")

    for name in ("acmee", "hubspot"):
        with pytest.raises(UsageError, match=f"no account '{name}'") as caught:
            wire().connect(name)
        assert "acme, globex" in caught.value.remedy


def test_an_account_has_a_mapping_of_its_own(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "maps"
    folder.mkdir()
    monkeypatch.setenv("RINGFENCE_MAPPINGS", str(folder))
    write("acme")
    write("globex")
    for name, slot in (("hubspot", "phone"), ("acme", "fax")):
        text = f"crm: hubspot\nobjects: {{contacts: {{phones: {{{slot}: {{}}}}}}}}\n"
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")

    assert list(wire().mapping("acme").objects["contacts"].phones) == ["fax"]
    assert list(wire().mapping("globex").objects["contacts"].phones) == ["phone"]

    (folder / "acme.yaml").write_text("crm: acme\nobjects: {contacts: {phones: {fax: {}}}}\n", encoding="utf-8")
    with pytest.raises(MappingError, match="for 'acme', not hubspot"):
        wire().mapping("acme")


def test_the_secrets_of_all_accounts_are_known_whatever_else_is_wrong_with_them(write: Write) -> None:
    write("acme")
    write("globex", f"{PORTAL}RINGFENCE_NONSENSE=1\n")

    assert {"pat-na1-acme", "pat-na1-globex"} <= set(wire().secrets())


def test_a_file_that_others_may_read_is_warned_about(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    write("acme").chmod(0o644)
    write("globex")

    wire().of("globex")
    assert caplog.messages == []

    wire().of("acme")
    assert caplog.messages == [
        "the settings file acme.env is open to other users of this machine; `chmod 600` makes it yours alone"
    ]
