"""``ringfence schedule``: what it lists, what it refuses, and that one process does it all without a server."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from testkit.commands import Cli

RIGHT = """\
timezone: Europe/Berlin
jobs:
  - {name: nightly, run: sync --all, cron: "15 2 * * *", window: "01:00-06:00", jitter: 2m, overlap: skip, missed: once}
  - {name: often, run: sync salesforce, every: 15m}
"""


def test_list_shows_the_next_times_and_makes_no_state(cli: Cli) -> None:
    Path("schedule.yaml").write_text(RIGHT.replace("Europe/Berlin", "Asia/Kolkata"))

    listed = cli("schedule", "--list", "--json")
    shown = cli("schedule", "--list")

    assert (listed.code, shown.code) == (0, 0)
    assert listed.document["timezone"] == "Asia/Kolkata"
    nightly, often = listed.document["jobs"]
    assert (nightly["name"], nightly["queues"], nightly["window"], nightly["jitter_s"]) == (
        "nightly",
        [],
        "01:00-06:00",
        120,
    )
    assert (often["queues"], often["every_s"], len(often["next"])) == (["salesforce"], 900, 5)
    for tick in nightly["next"]:
        local, utc, starts_at = (datetime.fromisoformat(tick[name]) for name in ("local", "utc", "starts_at"))
        assert tick["local"].endswith("T02:15:00+05:30")
        assert local == utc <= starts_at < utc + timedelta(minutes=2)
    assert "02:15:00+05:30" in shown.out
    assert "every 15m" in shown.out
    assert [path.name for path in Path().iterdir()] == ["schedule.yaml"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("sync --all", "sync --al", "jobs[1].run (line 3): No such option: --al"),
        ("sync salesforce", "sync salesfroce", "jobs[2].run (line 4): There is no CRM 'salesfroce' (did you mean"),
        ("sync salesforce", "runs undo 1", "jobs[2].run (line 4): `runs undo` is not for a schedule"),
        ("2m", "30h", "jobs[1].jitter (line 3): two ticks may lie 23h15m apart"),
        ("01:00-06:00", "04:00-06:00", "jobs[1].window (line 3)"),
        ("Europe/Berlin", "Europe/Berln", "timezone (line 1): there is no time zone 'Europe/Berln'"),
        ("15 2 * * *", "15 2 * *", "jobs[1].cron (line 3)"),
    ],
)
@pytest.mark.parametrize("listing", [True, False])
def test_a_wrong_schedule_is_refused_before_anything_runs(
    cli: Cli, old: str, new: str, words: str, *, listing: bool
) -> None:
    Path("schedule.yaml").write_text(RIGHT.replace(old, new))

    refused = cli("schedule", "--json", *(["--list"] if listing else []))

    assert refused.code == 2
    assert refused.document["error"] == "ScheduleError"
    assert words in refused.document["message"]
    assert [path.name for path in Path().iterdir()] == ["schedule.yaml"]


def test_without_a_file_it_says_how_to_name_one(cli: Cli) -> None:
    refused = cli("schedule", "--file", "none.yaml", "--json")

    assert (refused.code, refused.document["error"]) == (2, "FileError")
    assert "--file" in refused.document["remedy"]


def test_where_accounts_are_set_their_names_count(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("accounts").mkdir()
    Path("accounts/acme.env").write_text("RINGFENCE_HUBSPOT__ACCESS_TOKEN=pat-na1-none\n")
    monkeypatch.setenv("RINGFENCE_ACCOUNTS", "accounts")

    Path("schedule.yaml").write_text("jobs: [{name: a, run: sync acme, every: 1h}]")
    right = cli("schedule", "--list", "--json")
    Path("schedule.yaml").write_text("jobs: [{name: a, run: sync acne, every: 1h}]")
    wrong = cli("schedule", "--list", "--json")

    assert right.document["jobs"][0]["queues"] == ["acme"]
    assert wrong.code == 2
    assert "There is no account 'acne' (did you mean 'acme'?); there are acme" in wrong.document["message"]


@pytest.mark.slow
def test_one_process_starts_and_carries_out_and_ends_when_asked(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("jobs: [{name: tidy, run: state purge, every: 2s}]")
    health = tmp_path / "health"
    command = [sys.executable, "-c", "from ringfence.apps.cli import main; main()", "schedule", "--file", "s.yaml"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RINGFENCE_")}

    with subprocess.Popen(
        [*command, "--json", "--health-file", str(health)],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        until = time.monotonic() + 60
        while not _done_jobs(tmp_path) and time.monotonic() < until:
            time.sleep(0.2)
        was_healthy = health.exists()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)

    document = json.loads(out)
    assert process.returncode == 0, err
    assert document["started"] >= 1
    assert document["jobs"]["done"] >= 1
    assert was_healthy
    assert not health.exists()


def _done_jobs(folder: Path) -> int:
    if not (folder / "ringfence.db").exists():
        return 0
    with sqlite3.connect(folder / "ringfence.db") as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM jobs WHERE state = 'done'").fetchone()[0])
        except sqlite3.OperationalError:
            return 0
