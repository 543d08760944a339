"""Records that somebody told us to look at are synced on their own, as in every sync, and nothing else is touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import closing

import pytest

from ringfence.apps.operations.kept_connections import KeptConnections
from ringfence.apps.operations.waking import wake_records
from ringfence.apps.wiring import Wiring, wire
from ringfence.apps.worker.handlers import make_handlers
from ringfence.core.model.run_outcome import RunOutcome
from ringfence.core.ports.jobs import JobState
from ringfence.core.state.cursors import Cursors
from ringfence.core.state.pending import Pending, PendingReason
from ringfence.core.state.run_history import Run, list_runs
from ringfence.core.state.wakes import Wakes
from testkit.account import Account
from testkit.commands import Cli

PHONE, OTHER, THIRD = "+1 415 555 0132", "+44 20 7946 0018", "+1 415 555 0147"
SILENCED = "do_not_contact"

Woken = Callable[..., Run | None]

pytestmark = pytest.mark.parametrize("people", [20])


@pytest.fixture
def woken(account: Account, command: Cli) -> Woken:
    """Give a way to wake records and to carry out the job that this brings; returns the run, None where none came."""
    account.extra["RINGFENCE_LOOKUP__MAX_PER_DAY"] = "1000"
    command("runs", "list")  # so that the environment is the account's
    wiring = wire()

    def wake(
        *keys: tuple[str, str],
        kept: KeptConnections | None = None,
        wiring: Wiring = wiring,
        until_empty: bool = True,
    ) -> Run | None:
        with closing(wiring.open_state()) as store, closing(KeptConnections()) as own:
            jobs = wiring.open_jobs(store)
            before = {run.id for run in list_runs(store, 100)}
            waited = len(jobs.list())
            for key in keys:
                wake_records(wiring, store, jobs, account.crm, {key[0]: [key[1]]})
            assert len(jobs.list()) == waited + bool(keys)
            handlers = make_handlers(wiring, lambda _line: None, kept or own)

            def tried() -> bool:
                return not until_empty and bool(jobs.list()[0].error)

            jobs.work(handlers, [account.crm], must_end=tried, until_empty=until_empty)
            return next((run for run in list_runs(store, 1) if run.id not in before), None)

    return wake


@pytest.fixture
def trio(account: Account, command: Cli) -> list[tuple[str, str]]:
    """Two people on one number and one on another, screened in a first run."""
    keys = account.add(3, phone=PHONE)
    account.edit(keys[2], phone=OTHER)
    assert command("sync", account.crm, "--confirm-cost", "--yes", "--json").code == 0
    account.pass_time(minutes=3)
    return keys


def status(account: Account, key: tuple[str, str]) -> str:
    return str(account.rows()[key][account.companion("status")])


def cursors(account: Account) -> dict[str, str]:
    with closing(wire().open_state()) as store:
        return Cursors(store, 1, wire().shapes(account.crm)).read()


def calls(run: Run | None) -> Counter[str]:
    assert run is not None
    assert run.summary is not None
    return Counter(run.summary["api_calls_by_purpose"])


def test_a_changed_record_alone_is_screened(account: Account, trio: list[tuple[str, str]], woken: Woken) -> None:
    first, second, _ = trio
    account.edit(first, phone=THIRD)
    account.edit(second, phone="12")
    held, before = account.rows(), cursors(account)

    run = woken(first, first)

    assert run is not None
    now = account.rows()
    assert now[first][account.companion("e164")] == "+14155550147"
    assert {key for key in held if now[key] != held[key]} == {first}
    assert cursors(account) == before
    assert run.options["woken"] is True
    assert woken() is None


def test_a_raised_flag_reaches_the_holders_of_its_number(
    account: Account, trio: list[tuple[str, str]], woken: Woken
) -> None:
    account.edit(trio[0], flag=True)

    woken(trio[0])

    assert [status(account, key) for key in trio] == [SILENCED, SILENCED, "active"]
    assert [account.is_flagged(account.rows()[key]) for key in trio] == [True, True, False]


@pytest.mark.slow
def test_a_lowered_flag_is_believed(account: Account, trio: list[tuple[str, str]], woken: Woken) -> None:
    third = trio[2]
    account.edit(third, flag=True)
    woken(third)
    assert status(account, third) == SILENCED

    account.edit(third, flag=False)
    woken(third)

    assert status(account, third) != SILENCED
    assert not account.is_flagged(account.rows()[third])


@pytest.mark.slow
def test_a_second_run_logs_in_no_more(account: Account, trio: list[tuple[str, str]], woken: Woken) -> None:
    with closing(KeptConnections()) as kept:
        account.edit(trio[0], phone=THIRD)
        first = calls(woken(trio[0], kept=kept))
        account.edit(trio[0], phone=OTHER)
        second = calls(woken(trio[0], kept=kept))

    assert first["describe"]
    assert +second == Counter(read=second["read"], write=second["write"])
    assert second.total() <= 3


@pytest.mark.slow
def test_a_lookup_that_nobody_agreed_to_waits_for_the_next_sync(
    account: Account, command: Cli, trio: list[tuple[str, str]], woken: Woken, monkeypatch: pytest.MonkeyPatch
) -> None:
    del account.extra["RINGFENCE_LOOKUP__MAX_PER_DAY"]
    monkeypatch.delenv("RINGFENCE_LOOKUP__MAX_PER_DAY")
    account.edit(trio[0], phone=THIRD)
    bought = account.asked.total()

    run = woken(trio[0], wiring=wire())

    assert run is not None
    assert run.outcome is RunOutcome.DONE
    assert account.asked.total() == bought
    assert account.rows()[trio[0]][account.companion("e164")] == PHONE.replace(" ", "")
    assert command("sync", account.crm, "--json").code == 0
    assert account.rows()[trio[0]][account.companion("e164")] == THIRD.replace(" ", "")


@pytest.mark.slow
def test_what_the_cap_of_the_day_does_not_reach_for_waits_for_a_sync(
    account: Account, trio: list[tuple[str, str]], woken: Woken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFENCE_LOOKUP__MAX_PER_DAY", str(account.asked.total() + 1))
    account.edit(trio[0], phone=THIRD)
    account.edit(trio[1], phone="+1 415 555 0148")

    woken(*trio[:2], wiring=wire())

    with closing(wire().open_state()) as store:
        (job,) = wire().open_jobs(store).list()
        assert job.state is JobState.DONE
        assert "RINGFENCE_LOOKUP__MAX_PER_DAY" in job.error
        assert Wakes(store, account.crm).count() == 0
        waiting = Pending(store, 1, "later").next(("", ""), 9)
        assert [row.reason for row in waiting] == [PendingReason.DEFERRED]


@pytest.mark.slow
def test_a_record_that_is_gone_lifts_nothing(account: Account, trio: list[tuple[str, str]], woken: Woken) -> None:
    first, second, _ = trio
    account.edit(first, flag=True)
    woken(first)
    account.delete(first)

    woken(first, second)

    assert (status(account, second), account.is_flagged(account.rows()[second])) == (SILENCED, True)


@pytest.mark.slow
def test_survivors_of_merges_are_looked_at(account: Account, trio: list[tuple[str, str]], woken: Woken) -> None:
    first, _, third = trio
    account.edit(third, phone=THIRD)
    survivor = account.merge(third, first)

    run = woken(first, third, survivor)

    assert run is not None
    assert run.outcome is RunOutcome.DONE
    assert account.rows()[survivor][account.companion("e164")] == THIRD.replace(" ", "")


@pytest.mark.slow
def test_before_the_first_whole_sync_flags_wait(account: Account, woken: Woken) -> None:
    first, second = account.add(2, phone=PHONE)
    account.edit(first, flag=True)

    woken(second)
    woken(first)

    assert [status(account, key) for key in (first, second)] == [SILENCED, SILENCED]
    assert not account.is_flagged(account.rows()[second])


@pytest.mark.slow
def test_what_could_not_be_read_goes_on_waiting(account: Account, trio: list[tuple[str, str]], woken: Woken) -> None:
    account.edit(trio[0], phone=THIRD)
    account.sandbox.stop()

    run = woken(trio[0], until_empty=False)

    assert run is None or run.outcome is not RunOutcome.DONE
    with closing(wire().open_state()) as store:
        assert Wakes(store, account.crm).count() == 1
        (job,) = wire().open_jobs(store).list()
        assert job.state is JobState.WAITING
        assert job.error


@pytest.mark.parametrize("crm", ["hubspot"])
def test_a_production_org_waits_for_a_persons_word(account: Account, woken: Woken) -> None:
    account.sandbox.hubspot.account_type = "STANDARD"
    (key,) = account.add(1, phone=PHONE)

    assert woken(key) is None

    assert not account.rows()[key].get(account.companion("status"))
    with closing(wire().open_state()) as store:
        (job,) = wire().open_jobs(store).list()
        assert "Nobody has agreed yet that ringfence writes to" in job.error
        assert Wakes(store, "hubspot").count() == 1
