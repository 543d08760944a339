"""``ringfence audit``: what is listed, and the exit code of a log that somebody has changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ringfence.apps.wiring import wire
from ringfence.core.state.audit import Act, AuditAction, AuditLog
from testkit.commands import Cli

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def written(cli: Cli) -> list[Any]:
    """Give two entries of the log in the folder of the test, the newest first."""
    assert cli
    with closing(wire().open_state()) as store, store.transaction() as connection:
        log = AuditLog(store.keyring)
        first = log.append(connection, Act(AT, "ann@desk", AuditAction.ADD, "+1415***0132", "=asked"))
        second = log.append(connection, Act(AT.replace(day=9), "bob@desk", AuditAction.EXPORT, "callable"))
    return [second._asdict(), first._asdict()]


def test_entries_are_listed_newest_first(cli: Cli, written: list[Any]) -> None:
    everything = cli("audit", "list", "--json")
    since = cli("audit", "list", "--since", "2026-11-03", "--json")
    text = cli("audit", "list", "--limit", "1")

    assert everything.document == {"entries": written}
    assert list(everything.document["entries"][0]) == ["seq", "at", "author", "action", "subject", "reason", "hash"]
    assert since.document == {"entries": written[:1]}
    assert "bob@desk" in text.out
    assert "ann@desk" not in text.out


def test_a_log_as_it_was_written_is_said_to_be_so_with_its_head(cli: Cli, written: list[Any]) -> None:
    found = cli("audit", "verify", "--json")
    kept = cli("audit", "verify", "--head", written[1]["hash"], "--json")

    assert (found.code, found.document) == (0, {"entries": 2, "head": written[0]["hash"]})
    assert (kept.code, kept.document) == (0, found.document)


def test_a_changed_log_is_exit_code_1(cli: Cli, written: list[Any]) -> None:
    with closing(sqlite3.connect("ringfence.db")) as connection, connection:
        connection.execute("UPDATE audit SET reason = 'other' WHERE seq = 1")

    found = cli("audit", "verify", "--json")

    assert written
    assert (found.code, found.document) == (1, {"broken_at": 1})


def test_an_older_state_in_place_of_this_one_is_found_by_the_head_that_was_kept(cli: Cli, written: list[Any]) -> None:
    found = cli("audit", "verify", "--head", "ab" * 32, "--json")

    assert (found.code, found.document) == (1, {"broken_at": len(written) + 1})


def test_without_a_state_there_is_no_entry_and_no_file_is_made(cli: Cli) -> None:
    assert cli("audit", "list", "--json").document == {"entries": []}
    assert cli("audit", "verify", "--json").document == {"entries": 0, "head": "00" * 32}
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize("words", [("--since", "yesterday"), ("--limit", "0")])
def test_what_makes_no_sense_is_refused(cli: Cli, words: tuple[str, ...]) -> None:
    assert cli("audit", "list", *words, "--json").code == 2


def test_what_a_person_does_is_entered_and_goes_along_to_another_place(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    purged = cli("state", "purge", "--json").document["record"]
    assert cli("state", "purge", "--dry-run").code == 0
    assert cli("runs", "show", purged, "--reveal").code == 0
    assert cli("state", "move", "--to", "sqlite:///new.db").code == 0

    monkeypatch.setenv("RINGFENCE_STATE_URL", "sqlite:///new.db")
    entries = cli("audit", "list", "--json").document["entries"]

    assert [(entry["action"], entry["author"] != "") for entry in entries] == [
        ("move", True),
        ("reveal", True),
        ("purge", True),
    ]
    assert purged in entries[1]["subject"]
    assert cli("audit", "verify").code == 0


@pytest.mark.usefixtures("settings")
def test_a_plan_that_is_applied_and_a_run_that_is_undone_are_entered(cli: Cli) -> None:
    assert cli("setup", "hubspot", "--yes").code == 0
    assert cli("sync", "hubspot", "--dry-run", "--limit", "5", "--out", "plan.json").code == 0
    applied = cli("sync", "hubspot", "--apply", "plan.json", "--yes", "--json").document["run_id"]
    assert cli("runs", "undo", applied, "--yes").code == 0

    entries = cli("audit", "list", "--json").document["entries"]

    assert [entry["action"] for entry in entries] == ["undo", "apply"]
    assert f"plan plan.json, by run {applied}" == entries[1]["subject"]
    assert applied in entries[0]["subject"]
