"""The parts of a run: who may work at one, until when, and what ends it."""

from __future__ import annotations

import subprocess

import pytest

from ringfence.core.errors import BusyError
from ringfence.core.ports.crm import Org
from ringfence.core.state import leases, part_holds
from ringfence.core.state.cursors import register_org
from ringfence.core.state.journal import Journal
from ringfence.core.state.leases import Holder, Lease, take_lease, this_process
from ringfence.core.state.part_holds import HUNG_FOR, SILENT_FOR, PartHold, end_other_runs, free_abandoned, hold_part
from ringfence.core.state.run_parts import (
    NewPart,
    PartState,
    Phase,
    add_parts,
    end_parts,
    find_part,
    forget_other_runs,
    list_parts,
    silence_parts,
)
from ringfence.core.state.store import Store
from testkit.clock import SetClock

RUN, NEXT = "run-1", "run-2"


@pytest.fixture
def lease(store: Store, clock: SetClock) -> Lease:
    """Begin a run with two parts and give its lease."""
    org_id = register_org(store, Org("memory", "1", "Here", production=False))
    taken = take_lease(store, org_id, RUN, clock.now(), this_process())
    Journal(store, RUN).begin("memory", org_id, clock.now(), dry_run=False, options={})
    add_parts(store, RUN, 1, [NewPart("people", Phase.CHANGED, "{}", {}), NewPart("people", Phase.CHANGED, "{}", {})])
    return taken


def held(store: Store, clock: SetClock, part: int = 1) -> PartHold:
    found = hold_part(store, RUN, part, clock.now())
    assert found is not None
    return found


def states(store: Store) -> list[PartState]:
    return [part.state for part in list_parts(store, RUN)]


@pytest.mark.usefixtures("lease")
def test_one_process_at_a_time_holds_a_part(store: Store, clock: SetClock) -> None:
    hold = held(store, clock)

    assert hold_part(store, RUN, 1, clock.now()) is None

    hold.hand_back()
    again = held(store, clock)
    again.end(PartState.DONE, {"seq": 7})

    assert hold_part(store, RUN, 1, clock.now()) is None
    assert states(store) == [PartState.DONE, PartState.WAITING]


def test_a_part_whose_holder_is_silent_is_taken_and_the_first_writes_no_more(
    store: Store, clock: SetClock, lease: Lease
) -> None:
    first = held(store, clock)
    first.keep("somewhere", {"seq": 1})
    clock.advance(seconds=SILENT_FOR.total_seconds() - 1)

    assert free_abandoned(store, RUN, clock.now()) == []

    clock.advance(seconds=2)
    lease.renew(clock.now())
    second = held(store, clock)

    assert second.part.position == "somewhere"
    with pytest.raises(BusyError):
        first.check(clock.now())
    with pytest.raises(BusyError):
        first.keep("further", {"seq": 9})
    assert first.lost
    second.check(clock.now())
    assert second.part.counts == {"seq": 1}


def test_no_part_goes_on_while_the_process_of_its_run_is_silent(store: Store, clock: SetClock, lease: Lease) -> None:
    hold = held(store, clock)
    for _ in range(8):
        clock.advance(seconds=9)
        hold.check(clock.now())
    clock.advance(seconds=9)

    with pytest.raises(BusyError):
        hold.check(clock.now())
    assert not hold.is_run_alive

    hold.hand_back()
    assert hold_part(store, RUN, 1, clock.now()) is None

    lease.renew(clock.now())
    assert states(store) == [PartState.WAITING, PartState.WAITING]
    held(store, clock).check(clock.now())


@pytest.mark.usefixtures("lease")
def test_what_is_ended_ends_after_the_batch_and_what_is_silenced_is_told_so(store: Store, clock: SetClock) -> None:
    hold = held(store, clock)
    silence_parts(store, RUN)
    hold.check(clock.now())

    assert hold.silent

    end_parts(store, RUN)
    with pytest.raises(BusyError):
        hold.check(clock.now())
    assert not find_part(store, RUN, 1).over  # type: ignore[union-attr]  # it is there

    hold.leave({"seq": 3})

    assert [part.over for part in list_parts(store, RUN)] == [True, True]


def test_the_next_run_waits_for_whoever_is_still_at_it(store: Store, clock: SetClock, lease: Lease) -> None:
    hold = held(store, clock)
    lease.release()
    org_id = register_org(store, Org("memory", "1", "Here", production=False))
    take_lease(store, org_id, NEXT, clock.now(), this_process())
    waited: list[int] = []

    def wait() -> None:
        waited.append(1)
        with pytest.raises(BusyError):
            hold.check(clock.now())
        hold.hand_back()

    end_other_runs(store, org_id, NEXT, clock.now, wait)

    assert len(waited) == 1
    assert states(store) == [PartState.ENDED, PartState.ENDED]

    forget_other_runs(store, org_id, NEXT)
    assert list_parts(store, RUN) == []


def test_a_process_that_is_there_and_hangs_keeps_no_part_for_ever(
    store: Store, clock: SetClock, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen(["sleep", "60"]) as hanging:
        other = Holder(this_process().host, hanging.pid, leases._process_start(hanging.pid))
        with monkeypatch.context() as there:
            there.setattr(part_holds, "this_process", lambda: other)
            hold = held(store, clock)

        clock.advance(seconds=HUNG_FOR.total_seconds() - 60)
        assert free_abandoned(store, RUN, clock.now()) == []
        clock.advance(seconds=60)
        assert free_abandoned(store, RUN, clock.now()) == [1]
        hanging.kill()

    lease.renew(clock.now())
    held(store, clock)
    with pytest.raises(BusyError):
        hold.check(clock.now())
