"""One run of an org at a time: who holds the lease, who is refused it, and who may take it over."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from ringfence.core.errors import BusyError, StoppedError
from ringfence.core.ports.crm import Org
from ringfence.core.state import leases
from ringfence.core.state.cursors import register_org
from ringfence.core.state.leases import EXPIRY, Holder, take_lease, this_process
from ringfence.core.state.sql import insert_missing
from ringfence.core.state.store import Store, open_store
from testkit.clock import SetClock
from testkit.postgres import key_of

needs_process_start = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="the system does not tell when a process began"
)


@pytest.fixture
def org(store: Store) -> int:
    return register_org(store, Org("memory", "1", "One", production=False))


@pytest.fixture
def other() -> Iterator[Holder]:
    """A process of this machine that lives until the test ends."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield Holder(socket.gethostname(), process.pid, _process_start(process.pid))
        process.kill()


def _process_start(pid: int) -> str:
    stat = Path(f"/proc/{pid}/stat")
    return stat.read_text(encoding="utf-8").rpartition(")")[2].split()[19] if stat.exists() else ""


def test_a_second_run_is_told_who_is_at_work(store: Store, org: int, clock: SetClock, other: Holder) -> None:
    take_lease(store, org, "first", clock.now(), other)

    with pytest.raises(BusyError) as caught:
        take_lease(store, org, "second", clock.now(), this_process())
    assert f"run first, process {other.pid} on {other.host}, since 2026-11-02 09:00:00 UTC" in caught.value.message
    assert caught.value.remedy
    assert caught.value.exit_code == 4


def test_a_lease_given_back_is_free_at_once_and_orgs_do_not_share_one(
    store: Store, org: int, clock: SetClock, other: Holder
) -> None:
    lease = take_lease(store, org, "first", clock.now(), other)
    elsewhere = register_org(store, Org("memory", "2", "Two", production=False))
    take_lease(store, elsewhere, "second", clock.now(), this_process())
    lease.release()
    take_lease(store, org, "second", clock.now(), this_process())


def test_a_release_takes_nothing_from_who_has_taken_over(
    store: Store, org: int, clock: SetClock, other: Holder
) -> None:
    late = take_lease(store, org, "first", clock.now(), Holder("elsewhere.example", 1, "1"))
    clock.advance(minutes=15)
    take_lease(store, org, "second", clock.now(), this_process())

    late.release()

    with pytest.raises(BusyError, match="run second"):
        take_lease(store, org, "third", clock.now(), other)


def test_the_lease_of_a_process_that_died_is_taken_over_at_once(store: Store, org: int, clock: SetClock) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait(30)
    take_lease(store, org, "killed", clock.now(), replace(this_process(), pid=process.pid))
    take_lease(store, org, "next", clock.now(), this_process())


@needs_process_start
def test_a_process_that_ended_without_being_asked_for_its_outcome_holds_nothing(
    store: Store, org: int, clock: SetClock
) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        ended = replace(this_process(), pid=process.pid, started=_process_start(process.pid))
        take_lease(store, org, "killed", clock.now(), ended)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        take_lease(store, org, "next", clock.now(), this_process())


@needs_process_start
def test_a_process_of_this_machine_that_is_alive_keeps_its_lease_however_long_it_is_silent(
    store: Store, org: int, clock: SetClock, other: Holder
) -> None:
    lease = take_lease(store, org, "waits", clock.now(), other)
    clock.advance(hours=6)

    with pytest.raises(BusyError, match="run waits"):
        take_lease(store, org, "next", clock.now(), this_process())

    lease.renew(clock.now())


def test_a_process_is_not_kept_out_for_good_by_an_earlier_run_of_its_own(
    store: Store, org: int, clock: SetClock
) -> None:
    take_lease(store, org, "never gave it back", clock.now(), this_process())
    clock.time += EXPIRY
    take_lease(store, org, "next", clock.now(), this_process())


def test_a_lease_that_a_run_could_not_give_back_is_free_at_once_for_the_next_one_of_its_process(
    store: Store, org: int, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = take_lease(store, org, "without its server", clock.now(), this_process())
    with monkeypatch.context() as away:
        away.setattr(leases, "delete", _be_away)
        with pytest.raises(StoppedError):
            lease.release()

    take_lease(store, org, "next", clock.now(), this_process())

    with pytest.raises(BusyError, match="run next"):
        take_lease(store, org, "third", clock.now(), this_process())


def _be_away(*_: object) -> None:
    raise StoppedError("The server is away.")


def test_a_dry_run_keeps_its_lease_by_saying_so(store: Store, org: int, clock: SetClock) -> None:
    lease = take_lease(store, org, "rehearses", clock.now(), Holder("elsewhere.example", 1, "1"))

    with store.rehearsal():
        clock.advance(minutes=14)
        lease.renew(clock.now())
    clock.advance(minutes=14)

    with pytest.raises(BusyError, match="run rehearses"):
        take_lease(store, org, "next", clock.now(), this_process())


@needs_process_start
def test_a_process_that_only_got_the_same_number_is_not_taken_for_it(
    store: Store, org: int, clock: SetClock, other: Holder
) -> None:
    assert this_process().started

    take_lease(store, org, "killed", clock.now(), replace(other, started="1"))
    take_lease(store, org, "next", clock.now(), this_process())


@pytest.mark.parametrize(("age", "free"), [(EXPIRY - timedelta(seconds=1), False), (EXPIRY, True)])
def test_a_lease_of_another_machine_is_free_when_it_was_not_renewed_for_long(
    store: Store, org: int, clock: SetClock, age: timedelta, free: bool
) -> None:
    take_lease(store, org, "far", clock.now(), Holder("elsewhere.example", os.getpid(), "1"))
    clock.time += age
    if free:
        take_lease(store, org, "here", clock.now(), this_process())
    else:
        with pytest.raises(BusyError, match=r"on elsewhere\.example"):
            take_lease(store, org, "here", clock.now(), this_process())


def test_a_run_that_goes_on_keeps_its_lease_by_saying_so(store: Store, org: int, clock: SetClock) -> None:
    lease = take_lease(store, org, "far", clock.now(), Holder("elsewhere.example", 1, "1"))
    for _ in range(10):
        clock.advance(minutes=14)
        lease.renew(clock.now())

    with pytest.raises(BusyError, match="run far"):
        take_lease(store, org, "here", clock.now(), this_process())


def test_a_clock_that_was_set_back_keeps_no_lease_from_being_renewed(store: Store, org: int, clock: SetClock) -> None:
    lease = take_lease(store, org, "far", clock.now(), Holder("elsewhere.example", 1, "1"))
    clock.advance(hours=-3)
    lease.renew(clock.now())

    clock.advance(minutes=14)

    with pytest.raises(BusyError, match="run far"):
        take_lease(store, org, "here", clock.now(), this_process())

    clock.advance(minutes=1)
    take_lease(store, org, "here", clock.now(), this_process())


def test_renewing_often_costs_a_statement_now_and_then(store: Store, org: int, clock: SetClock) -> None:
    lease = take_lease(store, org, "far", clock.now(), this_process())
    written: list[Any] = []
    event.listen(store.engine, "commit", written.append)

    for _ in range(60):
        clock.advance(seconds=1)
        lease.renew(clock.now())

    assert len(written) == 2


def test_a_run_that_slept_through_a_take_over_ends_before_it_writes(store: Store, org: int, clock: SetClock) -> None:
    slept = take_lease(store, org, "slept", clock.now(), Holder("elsewhere.example", 1, "1"))
    clock.advance(hours=1)

    take_lease(store, org, "next", clock.now(), this_process())

    with pytest.raises(BusyError, match="took over from run slept"):
        slept.renew(clock.now())


def test_a_lease_given_back_while_another_run_asks_for_it_is_free(
    store: Store, org: int, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only PostgreSQL lets others in between: there was a lease when its row was to be made, and none afterwards.
    tries = iter([lambda *_: 0])
    monkeypatch.setattr(leases, "insert_missing", lambda *words: next(tries, insert_missing)(*words))

    take_lease(store, org, "next", clock.now(), this_process())

    with pytest.raises(BusyError, match="run next"):
        take_lease(store, org, "third", clock.now(), this_process())


def test_of_many_that_ask_at_once_one_gets_it(store: Store, org: int, clock: SetClock, state_url: str) -> None:
    ready, got, refused = threading.Barrier(6), [], []

    def ask(name: str) -> None:
        opened = open_store(state_url, key_of(state_url))
        ready.wait()
        try:
            take_lease(opened, org, name, clock.now(), this_process())
            got.append(name)
        except BusyError as error:
            refused.append(str(error))
        opened.close()

    threads = [threading.Thread(target=ask, args=(f"run-{i}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(got) == 1
    assert len(refused) == 5
    assert all(got[0] in words for words in refused)
