"""A STOP by text message silences the number at once, and every record that holds it with the next sync."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ringfence.apps.operations.kept_connections import KeptConnections
from ringfence.apps.wiring import wire
from ringfence.apps.worker.handlers import make_handlers
from ringfence.sandbox.server import Sandbox
from testkit.account import Account, NewState
from testkit.commands import Cli
from testkit.served import running_service
from testkit.vendors import SETTINGS, stop

LINE, E164 = "+1 415 555 0132", "+14155550132"


@pytest.fixture
def shared() -> Iterator[Sandbox]:
    """Give one sandbox in which both CRMs run."""
    with Sandbox(contacts=20) as running:
        yield running


@pytest.fixture
def account(shared: Sandbox, tmp_path: Path, new_state: NewState) -> Account:
    """Give the settings that the command line takes: those of both CRMs, and the vendors' keys."""
    account = Account("hubspot", shared, tmp_path / "hub")
    account.extra |= SETTINGS | new_state()
    return account


@pytest.fixture
def force(shared: Sandbox, tmp_path: Path) -> Account:
    return Account("salesforce", shared, tmp_path / "force")


def said(account: Account, key: tuple[str, str]) -> tuple[bool, object]:
    row = account.rows()[key]
    return account.is_flagged(row), row.get(account.companion("status"))


def everything(command: Cli) -> list[object]:
    return [command(each, "list", "--json").document for each in ("suppress", "audit", "jobs")]


@pytest.mark.slow
def test_a_stop_silences_at_once_and_reaches_every_record_and_nothing_forged_or_repeated_does(
    account: Account, force: Account, command: Cli
) -> None:
    keys = [(account, *account.add(1, phone=LINE)), (force, *force.add(1, phone=LINE))]
    assert command("sync", "--all", "--json").code == 0
    assert command("suppress", "check", E164).code == 0

    with running_service(wire(), works=False) as served:
        assert stop(served, E164, "SM0", key="forged").status_code == 401
        assert command("suppress", "check", E164).code == 0

        # Nothing happens in between: what is answered holds. How long a busy machine takes for both is no matter here.
        assert stop(served, E164, "SM1").status_code == 200
        assert command("suppress", "check", E164).code == 1

        queued = command("jobs", "list", "--json").document["jobs"]
        before = everything(command)
        assert stop(served, E164, "SM1").status_code == 200
        assert stop(served, E164, "SM2", key="forged").status_code == 401
        assert everything(command) == before

    assert {(each["kind"], each["state"]) for each in queued} == {("targeted-sync", "waiting")}
    assert [said(*each)[0] for each in keys] == [False, False]
    assert command("sync", "--all", "--json").code == 0
    assert [said(*each) for each in keys] == [(True, "do_not_contact")] * 2


@pytest.mark.slow
@pytest.mark.both_engines
def test_a_stop_is_carried_by_a_job_of_its_own_without_any_sync(account: Account, force: Account, command: Cli) -> None:
    keys = [(account, *account.add(1, phone=LINE)), (force, *force.add(1, phone=LINE))]
    assert command("sync", "--all", "--json").code == 0

    with running_service(wire(), works=False) as served, closing(KeptConnections()) as kept:
        assert stop(served, E164, "SM1").status_code == 200
        handlers = make_handlers(wire(), lambda _line: None, kept)
        served.service.jobs.work(handlers, ["hubspot", "salesforce"], until_empty=True)
    assert [said(*each) for each in keys] == [(True, "do_not_contact")] * 2
