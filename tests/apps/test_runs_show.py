"""``runs list``, ``runs show`` and ``runs undo --dry-run``: a run for a person who reviews it."""

from __future__ import annotations

import csv
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.sandbox.server import Sandbox

from .conftest import Cli

FULL = "+14155550132"
REASON = "allocated: well formed but not confirmed to be live"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(contacts=60) as running:
        yield running


@pytest.fixture
def run_id(cli: Cli, sandbox: Sandbox, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a sync of which the CRM has refused some rows."""
    monkeypatch.setenv("COLUMNS", "80")
    first, second, *_ = sandbox.salesforce.rows("Contact")
    sandbox.salesforce.update_as_user("Contact", first, Phone=FULL, MobilePhone=None, DoNotCall=False)
    sandbox.salesforce.update_as_user("Contact", second, Phone="+14155550133", MobilePhone=None, DoNotCall=True)
    sandbox.salesforce.refuse_row = lambda name, row, _changes: (
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Phones are frozen.") if name == "Lead" and row["Id"][14] < "5" else None
    )
    synced = cli("sync", "salesforce", "--json")
    assert synced.code == 1
    sandbox.salesforce.refuse_row = None
    return str(synced.document["run_id"])


def changes(cli: Cli, run_id: str, *words: str) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = cli("runs", "show", run_id, "--json", *words).document["changes"]
    return shown


def test_a_run_is_a_page_and_not_its_changes(cli: Cli, run_id: str) -> None:
    page = cli("runs", "show", run_id).out

    assert f"run {run_id}: sync of" in page
    assert "done, but the CRM refused" in page
    assert "Phones are frozen." in page
    assert "records written" in page
    assert "do_not_contact" in page
    assert f"ringfence runs undo {run_id} --dry-run" in page
    assert page.count(" → ") < 20
    assert FULL not in page
    assert FULL in cli("runs", "show", run_id, "--reveal", "--changes", "--limit", "500").out


def test_changes_are_picked_by_object_status_and_outcome(cli: Cli, run_id: str) -> None:
    everything = changes(cli, run_id, "--changes")
    refused = changes(cli, run_id, "--refused")
    leads = changes(cli, run_id, "--object", "Lead")
    silent = changes(cli, run_id, "--status", "do_not_contact")

    assert 0 < len(refused) < len(leads) < len(everything)
    assert {row["outcome"] for row in refused} == {"refused"}
    assert changes(cli, run_id, "--status", "refused") == refused
    assert {row["object"] for row in leads} == {"Lead"}
    assert silent
    assert all("do_not_contact" in [value["new"] for value in row["fields"].values()] for row in silent)
    assert changes(cli, run_id, "--conflicts") == []
    assert (
        "There is no status 'invalld' (did you mean 'invalid'?)"
        in cli("runs", "show", run_id, "--status", "invalld").err
    )
    assert "No change of this run fits" in cli("runs", "show", run_id, "--object", "Nothing").out


def test_a_list_of_changes_ends_with_the_way_to_the_others(cli: Cli, run_id: str) -> None:
    shown = cli("runs", "show", run_id, "--changes", "--limit", "2").out

    assert shown.count("written") == 2
    assert "These are the first 2. More: --limit N, or all of them: --csv FILE" in shown
    assert len(changes(cli, run_id, "--changes", "--limit", "2")) == 2
    assert cli("runs", "show", run_id, "--limit", "0").code == 2


def test_reasons_are_readable_while_numbers_are_masked(cli: Cli, run_id: str) -> None:
    told = cli("runs", "show", run_id, "--changes", "--json").out

    assert REASON in told
    assert FULL not in told
    assert "+1415***0132" in told


def test_the_table_of_a_run_links_to_the_records_and_has_the_words_of_the_crm(
    cli: Cli, run_id: str, settings: dict[str, str]
) -> None:
    assert cli("runs", "show", run_id, "--csv", "run.csv").code == 0
    assert cli("runs", "show", run_id, "--refused", "--csv", "refused.csv").code == 0

    with Path("run.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with Path("refused.csv").open(encoding="utf-8", newline="") as file:
        refused = list(csv.DictReader(file))

    base = settings["RINGFENCE_SALESFORCE__INSTANCE_URL"]
    assert len(rows) == len(changes(cli, run_id, "--changes"))
    assert all(row["link"] == f"{base}/{row['id']}" for row in rows)
    assert {row["message"] for row in refused} == {"Phones are frozen."}
    assert FULL not in Path("run.csv").read_text("utf-8")
    assert cli("runs", "show", run_id, "--csv", "run.csv").code == 2


def test_an_undo_shows_first_what_people_have_changed(cli: Cli, sandbox: Sandbox, run_id: str) -> None:
    written = next(row for row in changes(cli, run_id, "--status", "valid") if row["outcome"] == "written")
    field = next(name for name in written["fields"] if name.endswith("_Line_Type__c"))
    sandbox.salesforce.update_as_user(written["object"], written["id"], **{field: "other"})

    shown = cli("runs", "undo", run_id, "--dry-run")
    document = cli("runs", "undo", run_id, "--dry-run", "--json").document

    (changed,) = document["changed_since"]
    assert (changed["id"], changed["field"], changed["holds"]) == (written["id"], field, "other")
    assert changed["wrote"] == written["fields"][field]["new"]
    assert shown.out.index("Changed since the run") < shown.out.index("would go back")
    assert sum(counts["records"] for counts in document["objects"].values()) == document["records"]


def test_an_undo_tells_what_it_undid_and_the_run_by_whom(cli: Cli, run_id: str) -> None:
    undone = cli("runs", "undo", run_id, "--json").document

    page = cli("runs", "show", undone["run_id"]).out

    assert f"undo of run {run_id}" in page
    assert f"{undone['fields']:,} fields of {undone['records']:,} records went back" in page
    assert f"It was taken back by run {undone['run_id']}" in cli("runs", "show", run_id).out
    assert cli("runs", "show", run_id, "--json").document["undone_by"] == undone["run_id"]
    assert cli("runs", "show", undone["run_id"], "--json").document["what"] == "undo"


def test_the_list_has_a_line_a_run_that_fits_80_columns(cli: Cli, run_id: str) -> None:
    cli("sync", "hubspot", "--dry-run")
    cli("lookup", "+442079460018")

    lines = cli("runs", "list").out.splitlines()

    assert len(lines) == 4
    assert max(map(len, lines)) <= 80
    looked_up, rehearsed, synced = lines[1:]
    assert " lookup " in looked_up
    assert "dry sync hubspot" in rehearsed
    assert " refused " in synced
    assert synced.endswith(run_id[-8:])
    assert cli("runs", "show", synced.split()[-1], "--json").document["run_id"] == run_id


def test_a_run_whose_process_is_gone_is_told_as_killed(cli: Cli, run_id: str) -> None:
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    with sqlite3.connect("ringfence.db") as connection:
        (kept,) = connection.execute("SELECT process FROM runs").fetchone()
        process = json.dumps({**json.loads(kept), "pid": int(gone.stdout), "started": "1"})
        connection.execute("UPDATE runs SET outcome = 'running', summary = NULL, process = ?", [process])
        connection.execute("UPDATE runs SET org_id = NULL, crm = 'screen', options = '{\"file\": \"a.csv\"}'")
    connection.close()

    page, document = cli("runs", "show", run_id).out, cli("runs", "show", run_id, "--json").document

    assert "screen of a.csv" in page
    assert "was killed; run it again: answers that were paid for are kept" in page
    assert document["outcome"] == "killed"
    assert cli("runs", "list", "--json").document["runs"][0]["outcome"] == "killed"


def test_a_sync_that_was_killed_tells_what_it_had_written(cli: Cli, run_id: str) -> None:
    with sqlite3.connect("ringfence.db") as connection:
        connection.execute("UPDATE runs SET outcome = 'running', summary = NULL")
    connection.close()

    page, document = cli("runs", "show", run_id).out, cli("runs", "show", run_id, "--json").document

    assert "was killed; the next sync goes on from there" in page
    assert "It left no summary" in page
    assert document["review"]["totals"]["changes"] == len(changes(cli, run_id, "--status", "written"))
