"""``check``, ``setup``, ``screen``, ``lookup``, ``demo`` and the help."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from ringfence.apps.cli.app import app
from ringfence.apps.registry import crm_plugins
from ringfence.sandbox.plugin import installed_plugins
from ringfence.sandbox.server import Sandbox
from testkit.account_view import NAMES

from .conftest import Cli

CRMS = sorted(NAMES)


@pytest.mark.usefixtures("settings")
def test_check_takes_every_configured_crm(cli: Cli) -> None:
    result = cli("check", "--json")

    assert result.code == 0
    assert [crm["crm"] for crm in result.document["crms"]] == sorted(crm_plugins())
    assert all(crm["ready"] for crm in result.document["crms"])
    assert cli("check").out.count("ready") == len(crm_plugins())


def test_check_without_any_crm_says_what_to_do(cli: Cli) -> None:
    result = cli("check")

    assert result.code == 2
    assert ".env.example" in result.err


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with Sandbox(contacts=50, bare=True) as running:
        for name, value in running.settings().items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.mark.parametrize("crm", CRMS)
def test_setup_makes_an_account_ready(cli: Cli, bare: Sandbox, crm: str, tmp_path: Path) -> None:
    assert cli("check", crm).code == 3
    assert cli("sync", crm).code == 3

    planned = cli("setup", crm, "--dry-run", "--json").document["steps"]
    assert planned
    assert cli("check", crm).code == 3

    emitted = cli("setup", crm, "--emit", str(tmp_path / "project"), "--json").document
    assert emitted["files"]
    assert all(Path(file).is_file() for file in emitted["files"])
    assert cli("setup", crm, "--dry-run", "--emit", str(tmp_path / "other")).code == 2
    assert not (tmp_path / "other").exists()
    assert cli("setup", crm).code == 0
    assert cli("setup", crm, "--json").document["steps"] == []
    assert cli("check", crm).code == 0
    assert cli("sync", crm).code == 0


def test_screen_adds_columns_and_keeps_the_rest(cli: Cli) -> None:
    Path("contacts.csv").write_text(
        "name;phone;country\nAda;020 7946 0018;UK\nBob;n/a;US\nEve;(202) 555-0143;USA\n", encoding="utf-8"
    )
    result = cli("screen", "contacts.csv", "-o", "out.csv", "--json")
    assert result.code == 0
    assert result.document["rows"] == 3

    with Path("out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert [row["rf_phone_status"] for row in rows] == ["valid", "invalid", "valid"]
    assert rows[0]["rf_phone_e164"] == "+442079460018"
    assert [row["name"] for row in rows] == ["Ada", "Bob", "Eve"]
    assert cli("screen", "contacts.csv", "-o", "out.csv").code == 2
    assert cli("screen", "contacts.csv", "-o", "contacts.csv", "--force").code == 2
    assert cli("screen", "missing.csv").code == 2
    assert cli("screen", "contacts.csv", "--lookups").code == 2


def test_screen_shows_a_preview_without_numbers(cli: Cli) -> None:
    Path("contacts.csv").write_text("phone\n+442079460018\n+12025550143\n", encoding="utf-8")
    result = cli("screen", "contacts.csv", "--preview")

    assert result.code == 0
    assert "by its header; 100%" in " ".join(result.out.split())
    assert "442079460018" not in result.out
    assert not Path("contacts.screened.csv").exists()


def test_screen_names_the_region_where_no_country_is_known(cli: Cli) -> None:
    Path("contacts.csv").write_text("phone,country\n020 7946 0018,\n020 7946 0019,Atlantis\n", encoding="utf-8")

    shown = cli("screen", "contacts.csv")
    document = cli("screen", "contacts.csv", "--force", "--json").document

    assert "2 of the unknown cells are national numbers of an unknown country" in shown.out
    assert "--region" in shown.out
    assert "'Atlantis' (1)" in shown.out
    assert document["columns"]["phone"]["no_region"] == 2
    assert document["unread_countries"] == {"cells": 1, "texts": [{"text": "Atlantis", "cells": 1}]}


def test_screen_says_how_cells_of_opt_outs_were_read(cli: Cli) -> None:
    rows = ["+442079460018,Registered", "+442079460019,call +442079460018 first", "+442079460020,no"]
    Path("contacts.csv").write_text("\n".join(["phone,do not call", *rows]), encoding="utf-8")

    shown = cli("screen", "contacts.csv")
    document = cli("screen", "contacts.csv", "--force", "--json").document

    assert "2 cells of opt-out columns say nothing plainly and were read as opted out: 'Registered' (1)" in shown.out
    assert "7946" not in shown.out
    assert document["unclear_opt_outs"]["cells"] == 2
    assert document["detected"]["columns"][1]["role"] == "opt-out"


def test_screen_takes_a_header_row_by_its_number(cli: Cli) -> None:
    Path("contacts.csv").write_text("Contacts\nA,B\nname,ruf\nAnn,+442079460018\n", encoding="utf-8")

    document = cli("screen", "contacts.csv", "--header-row", "3", "--json").document

    assert (document["detected"]["header_row"], document["detected"]["phones"]) == (3, ["ruf"])


def test_columns_of_one_name_are_told_apart_in_the_document(cli: Cli) -> None:
    Path("contacts.csv").write_text("Phone,Phone\n+442079460018,12\n", encoding="utf-8")

    columns = cli("screen", "contacts.csv", "--json").document["columns"]

    assert {name: column["statuses"] for name, column in columns.items()} == {
        "Phone": {"valid": 1},
        "Phone (2)": {"invalid": 1},
    }


def test_of_a_wide_file_only_what_is_used_has_a_row(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"Column number {number}" for number in range(90)]
    Path("wide.csv").write_text(",".join([*names, "Phone"]) + "\n" + "x," * 90 + "+442079460018\n", encoding="utf-8")
    monkeypatch.setenv("COLUMNS", "80")

    shown = cli("screen", "wide.csv", "--preview").out.splitlines()

    assert [line for line in shown if line.startswith("Phone")]
    (unused,) = [line for line in shown if line.startswith("90 columns not used: Column number 0, Column number 1,")]
    assert unused.endswith("Column number 59, and 30 more")
    assert max(len(line) for line in shown if line != unused) <= 80


def test_screen_takes_the_users_word_about_the_header(cli: Cli) -> None:
    Path("contacts.csv").write_text("Ada,+442079460018\nBob,+12025550143\n", encoding="utf-8")
    assert cli("screen", "contacts.csv", "--json").document["rows"] == 2

    document = cli("screen", "contacts.csv", "--header", "--preview", "--json").document
    assert (document["has_header"], document["rows"]) == (True, 1)

    Path("headed.csv").write_text("name,phone\nAda,+442079460018\n", encoding="utf-8")
    document = cli("screen", "headed.csv", "--no-header", "--phone", "column_2", "-o", "out.csv", "--json").document
    assert document["rows"] == 2
    assert "There is no header: columns are called column_1 and so on." in document["detected"]["notes"]


def test_screen_buys_only_with_lookups_and_within_the_budget(
    cli: Cli, sandbox: Sandbox, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = "".join(f"+1202555{i:04}\n" for i in range(100, 200))
    Path("contacts.csv").write_text(f"phone\n{numbers}", encoding="utf-8")
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["twilio"]')
    monkeypatch.setenv("RINGFENCE_LOOKUP__MAX_LOOKUPS", "60")
    assert cli("screen", "contacts.csv", "--json").document["lookups"] == 0
    assert not sandbox.twilio.billed

    cut = cli("screen", "contacts.csv", "--lookups", "--force", "--json")
    assert cut.code == 4
    assert "about 60 numbers may be looked up, for 1.02 USD at most" in cut.err
    assert sum(sandbox.twilio.billed.values()) == 60

    done = cli("screen", "contacts.csv", "--lookups", "--force", "--json")
    assert done.code == 0
    assert set(sandbox.twilio.billed.values()) == {1}
    assert len(sandbox.twilio.billed) == 100


def test_lookup_explains_one_number(
    cli: Cli, sandbox: Sandbox, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    document = cli("lookup", "020 7946 0018 ext. 12", "--region", "United Kingdom", "--json").document
    assert document["status"] == "valid"
    assert document["e164"] == "+442079460018"
    assert document["extension"] == "12"
    assert document["callable"] is True
    assert cli("lookup", "020 7946 0018", "--json").document["status"] == "unknown"
    national, dead = cli("lookup", "020 7946 0018").out, cli("lookup", "+44 20").out
    assert "callable      yes" in national
    assert "as in --region US" in national
    assert "callable      no" in dead
    assert "--region" not in dead
    assert cli("lookup", "020 7946 0018", "--region", "Atlantis").code == 2

    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["twilio"]')
    assert cli("lookup", "+442079460018", "--json").document["lookups"] == 1
    assert cli("lookup", "+442079460018", "--json").document["lookups"] == 0
    assert sandbox.twilio.billed == {"+442079460018": 1}


def test_demo_cleans_both_crms_and_finds_nothing_the_second_time(cli: Cli) -> None:
    result = cli("demo", "--contacts", "300", "--json")
    assert result.code == 0

    passes = result.document["passes"]
    assert [one["crm"] for one in passes][:4] == ["salesforce", "salesforce", "hubspot", "hubspot"]
    for first, second in zip(passes[::2], passes[1::2], strict=True):
        assert sum(counts["written"] for counts in first["objects"].values()) > 0
        assert sum(counts["written"] for counts in second["objects"].values()) == 0

    shown = cli("demo", "--contacts", "300").out
    assert shown.count("Nothing to change.") == len(passes) // 2
    assert "do_not_contact" in shown


def test_sandbox_prints_settings_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from ringfence.apps.cli import main; main()"]
    ports = ",".join("0" for _ in installed_plugins())
    words = ["sandbox", "--contacts", "20", "--ports", ports, "--json", "--env-file", ".env"]
    with subprocess.Popen([*command, *words], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        settings = json.loads(process.stdout.readline())
        checked = subprocess.run(
            [*command, "check", "--json"], cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        process.send_signal(2)
        assert process.wait(20) == 0

    assert settings["RINGFENCE_HUBSPOT__BASE_URL"].startswith("http://127.0.0.1:")
    assert json.loads(checked.stdout)["ready"] is True
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0


@pytest.mark.slow
def test_ctrl_c_in_a_sync_leaves_a_resumable_state(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from ringfence.apps.cli import main; main()"]
    with Sandbox(contacts=2000) as sandbox:
        (tmp_path / ".env").write_text(
            "".join(f"{name}={value}\n" for name, value in sandbox.settings().items()), encoding="utf-8"
        )
        with subprocess.Popen([*command, "sync", "hubspot", "--json"], cwd=tmp_path, stdout=subprocess.PIPE) as process:
            deadline = time.monotonic() + 30
            # The first batch update is the preflight trying its write access.
            while sandbox.hubspot.requests["POST /crm/v3/objects/{type}/batch/update"] < 3:
                assert time.monotonic() < deadline, dict(sandbox.hubspot.requests)
                assert process.poll() is None
                time.sleep(0.005)
            process.send_signal(2)
            assert process.wait(20) == 130
        again = subprocess.run([*command, "sync", "hubspot", "--json"], cwd=tmp_path, capture_output=True, timeout=60)
        listed = subprocess.run([*command, "runs", "list", "--json"], cwd=tmp_path, capture_output=True, timeout=60)
    assert again.returncode == 0
    assert json.loads(again.stdout)["complete"] is True

    outcomes = [run["outcome"] for run in json.loads(listed.stdout)["runs"]]
    assert outcomes == ["done", "interrupted"]


def test_every_command_has_help_and_json(cli: Cli) -> None:
    assert cli().code == 2
    assert cli("--version").out.startswith("ringfence ")

    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    names = [name for name, command in group.commands.items() if not isinstance(command, TyperGroup)]

    commands = {
        "demo",
        "check",
        "setup",
        "sync",
        "screen",
        "lookup",
        "export",
        "duplicates",
        "explain",
        "worker",
        "serve",
        "openapi",
        "schedule",
    }
    assert set(names) == commands

    for name in [*names, "sandbox", "runs list", "runs show", "jobs list", "jobs show", "jobs retry", "jobs cancel"]:
        shown = cli(*name.split(), "--help")
        assert shown.code == 0
        assert "--json" in shown.out
