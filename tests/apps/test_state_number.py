"""``ringfence state erase`` and ``export`` of one number, and the record that a purge leaves."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from .conftest import Cli

NUMBER, MASKED = "+14155552671", "+1415***2671"


def destructions() -> list[Any]:
    (state,) = Path().glob("*.db")
    with closing(sqlite3.connect(state)) as database:
        return database.execute("SELECT id, action, reason, ended_at, up_to, destroyed FROM destructions").fetchall()


def test_a_number_is_shown_erased_and_stays_suppressed(cli: Cli) -> None:
    cli("suppress", "add", NUMBER, "--reason", f"wrote from {NUMBER}")
    shown = cli("state", "export", "(415) 555-2671", "--region", "US")
    held = cli("state", "export", NUMBER, "--json").document
    assert NUMBER in shown.out
    assert (held["number"], held["suppressed"]) == (NUMBER, True)
    assert held["entries"][0]["reason"] == f"wrote from {NUMBER}"

    erased = cli("state", "erase", NUMBER, "--reason", f"request of {NUMBER}", "--json")

    assert erased.code == 0
    assert erased.document["erased"] == {"blocks": 1, "erased_numbers": 1}
    assert (erased.document["suppressed"], erased.document["number"]) == (True, MASKED)
    assert cli("suppress", "check", NUMBER).code == 1
    after = cli("state", "export", NUMBER, "--json").document
    assert after["erased_at"]
    assert after["entries"][0]["reason"] == ""
    assert cli("suppress", "list", "--json").document["entries"][0]["number"] == "[erased]"
    ((record, action, reason, ended, _, destroyed),) = destructions()
    assert (record, action, reason) == (erased.document["record"], "erase", f"request of {MASKED}")
    assert ended
    assert json.loads(destroyed) == erased.document["erased"]
    acts = cli("audit", "list", "--json").document["entries"]
    assert [act["action"] for act in acts] == ["export", "erase", "export", "export", "add"]
    assert NUMBER not in str(acts)


def test_what_is_no_number_or_has_no_reason_is_refused(cli: Cli) -> None:
    assert cli("state", "erase", NUMBER).code == 2
    assert cli("state", "erase", NUMBER, "--reason", " ").code == 2
    assert cli("state", "erase", "nobody", "--reason", "asked", "--json").code == 2
    assert cli("state", "export", "415 555 2671", "--json").code == 2


def test_a_purge_leaves_a_record_of_destruction_and_a_dry_run_leaves_none(cli: Cli) -> None:
    rehearsed = cli("state", "purge", "--dry-run", "--json")
    assert rehearsed.code == 0
    assert destructions() == []

    purged = cli("state", "purge", "--json").document

    ((record, action, _, ended, up_to, destroyed),) = destructions()
    assert (record, action) == (purged["record"], "purge")
    assert ended
    assert up_to[:10] == purged["before"][:10]
    assert json.loads(destroyed) == purged["purged"]
    assert cli("audit", "list", "--json").document["entries"][0]["action"] == "purge"
