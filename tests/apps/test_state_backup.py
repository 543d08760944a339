"""``ringfence state backup`` and ``restore``: all of it or nothing, and by its key alone."""

from __future__ import annotations

import base64
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ringfence.apps.wiring import wire
from ringfence.core.model.blocks import BlockKind, BlockSource, Channel, NewEntry
from ringfence.core.ports.crm import Org
from ringfence.core.state import backup
from ringfence.core.state.blocks import Blocks
from ringfence.core.state.cursors import register_org
from ringfence.core.state.leases import take_lease, this_process
from testkit.clock import SetClock
from testkit.commands import Cli
from testkit.postgres import TEST_KEY, PostgresServer

NUMBER = "+14155550132"
OTHER_KEY = base64.b64encode(bytes(range(32, 64))).decode()


def add(reason: str) -> None:
    """Put an entry on the ledger of the state in this folder."""
    clock = SetClock()
    entry = NewEntry(NUMBER, BlockKind.DNC_INTERNAL, Channel.ALL, BlockSource.PERSON, reason, "ann@desk", clock.now())
    with closing(wire().open_state()) as store, store.transaction() as connection:
        Blocks(store.keyring, "").add(connection, entry)


def reasons() -> list[str]:
    with closing(wire().open_state()) as store, store.transaction() as connection:
        return [entry.reason for entry in Blocks(store.keyring, "").history(connection, NUMBER)]


def test_what_was_backed_up_comes_back_on_a_fresh_machine_with_its_key(cli: Cli) -> None:
    add("before")
    made = cli("state", "backup", "it.backup", "--json")
    add("after")
    for path in Path.cwd().glob("ringfence.db*"):
        path.unlink()

    restored = cli("state", "restore", "it.backup", "--json")

    assert made.code == 0, made.err
    assert (made.document["verified"], made.document["rows"]["blocks"]) == (True, 1)
    assert Path("it.backup").stat().st_mode & 0o777 == 0o600
    assert (restored.code, restored.document["restored"]["blocks"]) == (0, 1)
    assert reasons() == ["before"]
    assert [entry["action"] for entry in cli("audit", "list", "--json").document["entries"]] == ["restore"]
    assert cli("audit", "verify").code == 0


def test_nothing_of_it_is_in_the_clear_and_no_number_and_no_key(cli: Cli) -> None:
    add("called +14155550132")
    assert cli("state", "backup", "it.backup").code == 0

    content = Path("it.backup").read_bytes()

    assert b"SQLite" not in content
    assert b"4155550132" not in content
    assert Path("ringfence.key").read_bytes().strip() not in content


def test_a_file_that_is_there_is_not_written_over(cli: Cli) -> None:
    add("before")
    Path("it.backup").write_text("mine")

    refused = cli("state", "backup", "it.backup", "--json")

    assert refused.code == 2
    assert Path("it.backup").read_text() == "mine"


def test_a_state_that_holds_anything_goes_only_when_told(cli: Cli) -> None:
    add("before")
    assert cli("state", "backup", "it.backup").code == 0
    add("after")

    refused = cli("state", "restore", "it.backup", "--json")
    kept = reasons()
    replaced = cli("state", "restore", "it.backup", "--replace", "--json")

    assert (refused.code, refused.document["code"]) == (2, "state_holds_something")
    assert kept == ["before", "after"]
    assert replaced.code == 0
    assert reasons() == ["before"]


def test_a_number_that_was_erased_since_does_not_come_back(cli: Cli) -> None:
    add(f"called {NUMBER}")
    assert cli("state", "backup", "it.backup").code == 0
    assert cli("state", "erase", NUMBER, "--reason", "asked", "--yes").code == 0

    replaced = cli("state", "restore", "it.backup", "--replace", "--json")
    held = cli("state", "export", NUMBER, "--json").document

    assert replaced.code == 0, replaced.err
    assert reasons() == [""]
    assert held["erased_at"] is not None
    assert cli("suppress", "check", NUMBER).code == 1
    assert cli("audit", "verify").code == 0


@pytest.mark.parametrize("spoil", ["cut", "changed", "foreign"])
def test_a_file_that_is_not_as_it_was_written_changes_nothing(cli: Cli, spoil: str) -> None:
    add("before")
    assert cli("state", "backup", "it.backup").code == 0
    whole = Path("it.backup").read_bytes()
    spoilt = {"cut": whole[:-40], "changed": whole[:-200] + b"\x00" + whole[-199:], "foreign": b"PK\x03\x04" * 99}
    Path("it.backup").write_bytes(spoilt[spoil])
    before = Path("ringfence.db").read_bytes()

    refused = cli("state", "restore", "it.backup", "--replace", "--json")

    assert (refused.code, refused.document["error"]) == (2, "FileError")
    assert Path("ringfence.db").read_bytes() == before


def test_a_key_that_does_not_fit_is_told_and_changes_nothing(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    add("before")
    assert cli("state", "backup", "it.backup").code == 0

    monkeypatch.setenv("RINGFENCE_ENCRYPTION_KEY", OTHER_KEY)
    monkeypatch.setenv("RINGFENCE_STATE_URL", "sqlite:///new.db")
    refused = cli("state", "restore", "it.backup", "--json")

    assert (refused.code, refused.document["code"]) == (2, "encryption_key_mismatch")
    assert not Path("new.db").exists()


@pytest.mark.slow
def test_a_back_up_of_before_a_rotation_opens_with_the_key_that_was_put_aside(cli: Cli) -> None:
    add("before")
    assert cli("state", "backup", "it.backup").code == 0
    assert cli("state", "rotate-key").code == 0

    restored = cli("state", "restore", "it.backup", "--replace", "--json")

    assert restored.code == 0, restored.err
    assert reasons() == ["before"]
    assert cli("state", "rotate-key").code == 0
    assert reasons() == ["before"]


def test_nothing_is_put_back_while_a_run_is_at_work(cli: Cli) -> None:
    add("before")
    assert cli("state", "backup", "it.backup").code == 0
    wiring = wire()
    with closing(wiring.open_state()) as store:
        org_id = register_org(store, Org("memory", "1", "One", production=False))
        lease = take_lease(store, org_id, "works", wiring.clock.now(), this_process())
        refused = cli("state", "restore", "it.backup", "--replace", "--json")
        lease.release()

    assert (refused.code, refused.document["error"]) == (4, "BusyError")


def test_a_damaged_state_is_set_aside_and_replaced(cli: Cli) -> None:
    add("before")
    assert cli("state", "backup", "it.backup").code == 0
    Path("ringfence.db").write_bytes(b"no database " * 999)

    refused = cli("state", "restore", "it.backup", "--json")
    replaced = cli("state", "restore", "it.backup", "--replace", "--json")

    assert refused.code == 2
    assert replaced.code == 0, replaced.err
    assert reasons() == ["before"]
    assert [path.read_bytes()[:11] for path in Path.cwd().glob("ringfence.db.damaged-*")] == [b"no database"]
    assert Path("ringfence.db").stat().st_mode & 0o777 == 0o600


def test_a_back_up_made_while_somebody_writes_holds_one_moment(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        add(f"entry {number}")
    real = backup.count_rows_of

    def count(path: Path) -> dict[str, int]:
        add("meanwhile")
        return real(path)

    monkeypatch.setattr(backup, "count_rows_of", count)
    made = cli("state", "backup", "it.backup", "--json")

    assert made.code == 0, made.err
    assert made.document["rows"]["blocks"] == 3
    assert len(reasons()) == 5


DIE = """
import os, sqlite3
from ringfence.apps.cli.app import run
from ringfence.core.state import backup

backup._PAGES = 3
def die(_status, left, total):
    if left < total / 2:
        os._exit(9)
real = sqlite3.Connection.backup
class Dying(sqlite3.Connection):
    def backup(self, target, **more):
        real(self, target, pages=3, progress=die)
connect = sqlite3.connect
backup.sqlite3.connect = lambda path: connect(path, factory=Dying)
run(["state", "restore", "it.backup", "--replace"])
"""


@pytest.mark.slow
def test_killed_in_the_middle_of_it_the_state_is_the_old_one_as_a_whole(cli: Cli) -> None:
    add("before")
    assert cli("state", "backup", "it.backup").code == 0
    add("after")

    died = subprocess.run([sys.executable, "-c", DIE], env=dict(os.environ), capture_output=True, check=False)

    assert died.returncode == 9, died.stderr
    assert reasons() == ["before", "after"]
    with closing(sqlite3.connect("ringfence.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert cli("state", "restore", "it.backup", "--replace").code == 0
    assert reasons() == ["before"]


@pytest.mark.slow
def test_it_comes_back_on_a_server_and_from_there_on_a_file(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, postgres: PostgresServer
) -> None:
    monkeypatch.setenv("RINGFENCE_ENCRYPTION_KEY", TEST_KEY)
    add("before")
    assert cli("state", "backup", "file.backup").code == 0

    with postgres.database() as url:
        monkeypatch.setenv("RINGFENCE_STATE_URL", url)
        there: Any = cli("state", "restore", "file.backup", "--json")
        add("after")
        again = cli("state", "restore", "file.backup", "--json")
        made = cli("state", "backup", "server.backup", "--json")
        found = reasons()
        replaced = cli("state", "restore", "file.backup", "--replace", "--json")
        assert reasons() == ["before"]

    monkeypatch.setenv("RINGFENCE_STATE_URL", "sqlite:///back.db")
    back = cli("state", "restore", "server.backup", "--json")

    assert [each.code for each in (there, again, made, replaced, back)] == [0, 2, 0, 0, 0]
    assert found == reasons() == ["before", "after"]
    assert cli("audit", "verify").code == 0
