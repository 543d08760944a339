"""A damaged or newer state, a full disk, a read-only folder, clocks that are wrong, an edited plan: nothing is lost."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ringfence.core.clock import SystemClock
from testkit.account import Account
from testkit.commands import Cli

PHONE, OTHER = "+1 415 555 0132", "+44 20 7946 0018"


@pytest.fixture
def people() -> int:
    return 150


@pytest.fixture
def crm() -> str:
    """One CRM will do where the trouble is on our side; the tests of clocks ask for both."""
    return "salesforce"


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5_000])


def _overwrite(file: Path) -> None:
    file.write_bytes(b"These are not the tables that you are looking for. " * 400)


def _scramble(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[8_192:-4_096] = bytes(len(content) - 12_288)
    file.write_bytes(bytes(content))


def _outdate(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("spoil", [_cut, _overwrite, _scramble, _outdate])
def test_a_spoilt_state_is_named_and_left_alone(account: Account, command: Cli, spoil: Callable[[Path], None]) -> None:
    assert command("sync", account.crm, "--json").code == 0

    state = account.folder / "ringfence.db"
    with closing(sqlite3.connect(state)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    good = state.read_bytes()
    spoil(state)
    spoilt = state.read_bytes()
    keys = account.add(3, phone=PHONE)
    before = account.everything()
    account.pass_time(minutes=3)
    refused = command("sync", account.crm, "--json")

    assert refused.code == 2
    assert refused.document["error"] == "StateError"
    assert "state store" in refused.document["message"]
    assert refused.document["remedy"]
    assert account.everything() == before

    if spoil is not _scramble:
        assert state.read_bytes() == spoilt
    for path in account.folder.glob("ringfence.db*"):
        path.unlink()
    state.write_bytes(good)

    assert command("sync", account.crm, "--json").total("written") == len(keys)


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.slow
@pytest.mark.parametrize("room", [0, 30_000, 150_000])
def test_a_full_disk_loses_nothing(open_account: Callable[[str], Any], room: int) -> None:
    unbroken, broken = open_account("unbroken"), open_account("broken")
    assert unbroken.finish(unbroken.start("sync", unbroken.crm, "--json")).code == 0
    assert broken.finish(broken.start("runs", "list", "--json")).code == 0

    limit = max(path.stat().st_size for path in broken.folder.iterdir()) + room
    process = broken.start(
        "sync", broken.crm, "--json", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    )
    full = broken.finish(process)

    assert full.code in (2, 4), full.err
    assert "state store" in full.document["message"]
    assert "disk" in full.document["message"] + full.document["remedy"]
    assert "Traceback" not in full.err

    again = broken.finish(broken.start("sync", broken.crm, "--retry-lost-lookups", "--json"))
    assert again.code == 0, again.err
    assert broken.lasting() == unbroken.lasting()


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_read_only_folder_is_named(account: Account, command: Cli) -> None:
    # Nobody can write there, not even the administrator, as whom tests may run.
    account.extra["RINGFENCE_STATE_URL"] = "sqlite:////proc/ringfence.db"
    before = account.everything()
    refused = command("sync", account.crm, "--json")
    assert refused.code == 2
    assert "/proc" in refused.document["message"]
    assert refused.document["remedy"]
    assert account.everything() == before


@pytest.mark.parametrize("back", [timedelta(hours=5), timedelta(days=2), timedelta(days=400)])
def test_a_clock_that_is_set_back_costs_nothing(
    account: Account, command: Cli, monkeypatch: pytest.MonkeyPatch, back: timedelta
) -> None:
    assert command("sync", account.crm, "--json").code == 0

    asked, before = dict(account.sandbox.twilio.billed), account.verdicts()
    (key,) = account.add(1, phone=OTHER)
    monkeypatch.setattr(SystemClock, "now", lambda _clock: datetime.now(UTC) - back)
    account.pass_time(minutes=3)
    early = command("sync", account.crm, "--json")

    assert early.code == 0
    # Verdicts from a far future count as old: they may be dated anew, but say the same and cost nothing.
    assert early.total("written") >= 1
    assert {slot: said for slot, said in account.verdicts().items() if slot[0] != key} == before
    assert command("runs", "list", "--json").code == 0

    monkeypatch.undo()
    monkeypatch.chdir(account.folder)
    account.edit(key, phone=PHONE)
    account.pass_time(minutes=3)

    assert command("sync", account.crm, "--json").code == 0
    assert account.unscreened() == []
    assert {slot: said for slot, said in account.verdicts().items() if slot[0] != key} == before

    bought = {number: times for number, times in account.sandbox.twilio.billed.items() if asked.get(number) != times}
    assert set(bought.values()) <= {1}
    assert len(bought) <= 2


class TestBothCrms:
    """A CRM whose clock is minutes off."""

    @pytest.fixture(params=["hubspot", "salesforce"])
    def crm(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.mark.parametrize("skew", [-600, 600])
    def test_a_crm_whose_clock_is_minutes_off_loses_no_edit(self, account: Account, command: Cli, skew: int) -> None:
        account.fail(settings=f"{account.crm}: {{clock_skew_s: {skew}}}")
        keys = account.add(4, phone=PHONE)

        for number in range(len(keys)):
            assert command("sync", account.crm, "--json").code == 0
            for key in keys[: number + 1]:
                account.edit(key, phone=OTHER if number % 2 else f"+1 415 555 014{number}")
            account.pass_time(minutes=3)
            assert command("sync", account.crm, "--json").code == 0
            assert account.unscreened() == []

        account.pass_time(hours=3)

        assert command("sync", account.crm, "--json").total("written") == 0


def test_an_edited_plan_is_refused_and_nothing_is_written(account: Account, command: Cli) -> None:
    account.extra["RINGFENCE_LOOKUP__PROVIDERS"] = "[]"
    assert command("sync", account.crm, "--dry-run", "--out", "plan.json").code == 0

    plan = account.folder / "plan.json"
    good, before = plan.read_bytes(), account.everything()

    for spoilt in (good.replace(b"valid", b"activ", 1), good[: len(good) // 2], b"", b'{"batches": []}', good + good):
        plan.write_bytes(spoilt)
        refused = command("sync", account.crm, "--apply", "plan.json", "--json")
        assert refused.code == 2
        assert "plan" in refused.document["message"]
        assert refused.document["remedy"]
        assert account.everything() == before

    plan.write_bytes(good)

    assert command("sync", account.crm, "--apply", "plan.json", "--json").total("written") > 50


# A plan is sealed under the key, which is lost with a file alone; a server's is kept elsewhere and opens the plan.
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_state_that_is_gone_for_a_plan_is_told(account: Account, command: Cli) -> None:
    assert command("sync", account.crm, "--dry-run", "--out", "plan.json").code == 0

    account.lose_state()
    before = account.everything()
    refused = command("sync", account.crm, "--apply", "plan.json", "--json")

    assert refused.code == 2
    assert refused.document["remedy"]
    assert account.everything() == before
