"""Several accounts on one state: every command takes an account by its name, and says which one it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testkit.agency import Agency, write_account
from testkit.postgres import TEST_KEY

from .conftest import Cli
from .test_sync_command import total

PORTALS, ORGS = ("acme", "globex", "initech"), ("umbrella", "wayne")
NAMES = sorted((*PORTALS, *ORGS))

Touched = Callable[[], list[str]]


@pytest.fixture
def agency() -> Iterator[Agency]:
    with Agency(PORTALS, ORGS, contacts=6) as running:
        yield running


@pytest.fixture
def folder(agency: Agency, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the agency's accounts, which the settings name."""
    monkeypatch.setenv("RINGFENCE_ACCOUNTS", str(tmp_path / "accounts"))
    return agency.write_files(tmp_path / "accounts")


@pytest.fixture
def touched(agency: Agency) -> Touched:
    """Tell which accounts hold something else than when the test began."""

    def contents(name: str) -> str:
        if name in agency.portals:
            return repr({id_: dict(row) for id_, row in agency.portals[name].contacts.items()})
        org = agency.orgs[name]
        return repr([{id_: dict(row) for id_, row in org.rows(each).items()} for each in ("Contact", "Lead")])

    before = {name: contents(name) for name in NAMES}
    return lambda: [name for name in NAMES if contents(name) != before[name]]


@pytest.mark.usefixtures("folder")
def test_all_accounts_are_synced_in_turn_by_their_names(
    cli: Cli, touched: Touched, state_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFENCE_STATE_URL", state_url)
    monkeypatch.setenv("RINGFENCE_ENCRYPTION_KEY", TEST_KEY)

    first = cli("sync", "--all", "--json")
    assert first.code == 0
    assert [run["crm"] for run in first.document["runs"]] == NAMES
    assert touched() == NAMES

    again = cli("sync", "wayne", "--json").document
    assert total(again, "written") == 0

    listed = cli("runs", "list", "--json").document["runs"]
    assert [run["crm"] for run in listed] == ["wayne", *reversed(NAMES)]
    assert "sync wayne" in cli("runs", "list").out


def test_one_account_that_fails_keeps_no_other_from_its_sync(
    cli: Cli, agency: Agency, folder: Path, touched: Touched
) -> None:
    write_account(folder, "acme", {**agency.variables("acme"), "RINGFENCE_HUBSPOT__ACCESS_TOKEN": "pat-na1-wrong"})
    write_account(folder, "globex", {})

    result = cli("sync", "--all", "--json")
    runs = {run["crm"]: run for run in result.document["runs"]}

    assert result.code == 3
    assert {name: run["exit_code"] for name, run in runs.items()} == {
        "acme": 3,
        "globex": 2,
        "initech": 0,
        "umbrella": 0,
        "wayne": 0,
    }
    assert "holds the credentials of no CRM" in runs["globex"]["message"]
    unheard = [name for name in runs if f"The opt-outs of {name} could not be read" in result.err]
    assert unheard == ["acme", "globex"]
    assert "pat-na1-wrong" not in result.out + result.err
    assert touched() == ["initech", "umbrella", "wayne"]


@pytest.mark.usefixtures("folder")
def test_one_account_is_synced_and_no_other(cli: Cli, touched: Touched) -> None:
    result = cli("sync", "globex", "--json")

    assert result.code == 0
    assert result.document["crm"] == "globex"
    assert touched() == ["globex"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("words", [["sync"], ["sync", "hubspot"], ["check", "salesforce"], ["setup", "acmee"]])
def test_whoever_names_no_account_is_told_which_there_are(cli: Cli, words: list[str]) -> None:
    result = cli(*words)

    assert result.code == 2
    assert ", ".join(NAMES) in " ".join(result.err.split())


def test_a_run_is_taken_back_under_the_name_that_its_account_has_now(cli: Cli, folder: Path) -> None:
    synced = cli("sync", "globex", "--json").document
    run_id = synced["run_id"]
    (folder / "globex.env").rename(folder / "globex-2026.env")

    refused = cli("runs", "undo", run_id)
    assert refused.code == 2
    assert "as 'globex', which no account of today is. `ringfence sync NAME --dry-run`" in " ".join(refused.err.split())

    assert cli("sync", "globex-2026", "--dry-run").code == 0
    undone = cli("runs", "undo", run_id, "--json")
    assert undone.code == 0
    assert undone.document["crm"] == "globex-2026"
    assert undone.document["records"] == total(synced, "written")


def test_runs_of_before_there_were_accounts_are_shown_and_taken_back(
    cli: Cli, agency: Agency, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as alone:
        for name, value in agency.variables("umbrella").items():
            alone.setenv(name, value)
        run_id = cli("sync", "salesforce", "--json").document["run_id"]
    monkeypatch.setenv("RINGFENCE_ACCOUNTS", str(agency.write_files(tmp_path / "accounts")))

    assert cli("runs", "show", run_id, "--json").document["crm"] == "salesforce"
    assert [counts["written"] for counts in cli("sync", "umbrella", "--json").document["objects"].values()] == [0, 0]
    assert cli("runs", "undo", run_id, "--json").document["crm"] == "umbrella"


@pytest.mark.usefixtures("folder")
def test_a_plan_belongs_to_its_account(cli: Cli, touched: Touched) -> None:
    assert cli("sync", "wayne", "--dry-run", "--out", "plan.jsonl").code == 0

    shown = cli("plan", "show", "plan.jsonl", "--json").document
    assert (shown["crm"], shown["command"]) == ("wayne", "ringfence sync wayne --apply plan.jsonl")

    assert cli("sync", "umbrella", "--apply", "plan.jsonl").code == 2
    applied = cli("sync", "wayne", "--apply", "plan.jsonl", "--json")
    assert (applied.code, applied.document["crm"]) == (0, "wayne")
    assert touched() == ["wayne"]


def test_check_names_each_account_and_two_names_for_one(cli: Cli, agency: Agency, folder: Path) -> None:
    write_account(folder, "zz-twin", agency.variables("umbrella"))

    result = cli("check", "--json")
    crms = {crm["crm"]: crm for crm in result.document["crms"]}

    assert result.code == 0
    assert list(crms) == [*NAMES, "zz-twin"]
    assert len({crm["org"]["id"] for crm in crms.values()}) == len(NAMES)
    warned = [each["message"] for each in crms["zz-twin"]["findings"] if each["level"] == "warning"]
    assert "zz-twin and umbrella are one and the same account of salesforce." in warned
    assert "ringfence sync umbrella --dry-run" in cli("check", "umbrella").out


def test_a_sync_warns_of_another_name_for_its_account(cli: Cli, agency: Agency, folder: Path) -> None:
    write_account(folder, "twin", agency.variables("acme"))
    cli("sync", "acme")

    result = cli("sync", "twin")

    assert result.code == 0
    assert "twin and acme are one and the same account of hubspot. Take one" in " ".join(result.err.split())


def test_what_differs_for_an_account_stands_in_its_file(
    cli: Cli, agency: Agency, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maps = tmp_path / "maps"
    maps.mkdir()
    (maps / "acme.yaml").write_text("crm: hubspot\nobjects: {contacts: {phones: {phone: {}}}}\n", encoding="utf-8")
    monkeypatch.setenv("RINGFENCE_MAPPINGS", str(maps))
    write_account(folder, "acme", {**agency.variables("acme"), "RINGFENCE_LOOKUP__PROVIDERS": '["twilio"]'})

    assert "twilio has no credentials" in cli("sync", "acme").err
    assert cli("setup", "globex", "--emit", "globex").code == 0
    assert cli("setup", "acme", "--emit", "acme", "--json").document["crm"] == "acme"

    emitted = ["".join(path.read_text("utf-8") for path in Path(name).rglob("*.json")) for name in ("acme", "globex")]
    assert ["rf_mobilephone_status" in each for each in emitted] == [False, True]


@pytest.mark.usefixtures("folder")
def test_an_account_that_is_gone_is_forgotten_by_its_name(cli: Cli, agency: Agency) -> None:
    for name in ("acme", "globex"):
        assert cli("sync", name).code == 0

    forgotten = cli("state", "forget", "acme", "--yes", "--json").document

    assert forgotten["org"] == f"hubspot:{agency.portals['acme'].portal_id}"
    assert [run["crm"] for run in cli("runs", "list", "--json").document["runs"]] == ["state", "globex"]


@pytest.mark.usefixtures("folder")
def test_no_secret_of_any_account_is_told(cli: Cli, agency: Agency) -> None:
    told = cli("check", "--verbose")

    assert all(f"sync {name} --dry-run" in told.out for name in NAMES)
    for name in NAMES:
        secret = next(value for key, value in agency.variables(name).items() if key.endswith("TOKEN"))
        assert secret not in told.out + told.err


@pytest.mark.slow
def test_forty_portals_are_synced_in_one_go(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"portal-{number:02}" for number in range(40)]
    monkeypatch.setenv("RINGFENCE_ACCOUNTS", str(tmp_path / "accounts"))

    with Agency(names, contacts=3) as agency:
        agency.write_files(tmp_path / "accounts")
        synced = cli("sync", "--all", "--json")

    assert synced.code == 0
    assert [run["crm"] for run in synced.document["runs"]] == names
    assert all(run["complete"] for run in synced.document["runs"])
    assert len({run["run_id"] for run in synced.document["runs"]}) == 40
