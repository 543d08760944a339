"""Registers in a sync: who is on a list is silenced, who leaves it may be called, and an expired one stops all else."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.errors import ErrorCode, StoppedError
from ringfence.core.runs.summary import Summary
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.memory_runs import MakeProvider, Sync
from testkit.registers import put_list

LISTED, FREE, BRITISH = "+14155552671", "+14155552672", "+442079460018"

pytestmark = pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)


@pytest.fixture
def people(crm: MemoryCrm) -> MemoryCrm:
    """Two people, one of whom the register will name."""
    crm.put("people", "listed", phone=LISTED)
    crm.put("people", "free", phone=FREE)
    return crm


def statuses(crm: MemoryCrm) -> dict[str, Any]:
    return {id_: row.get("rf_phone_status") for id_, row in crm.rows["people"].items()}


def stop(sync: Sync, **options: Any) -> StoppedError:
    with pytest.raises(StoppedError) as stopped:
        check(sync(**options))
    return stopped.value


def check(summary: Summary) -> None:
    """Raise what a summary says of a run that ended early, as a door tells it."""
    if summary.end is not None:
        raise StoppedError(summary.stopped, code=ErrorCode.LISTS_EXPIRED)


def test_who_is_on_a_list_is_flagged_and_never_looked_up(
    people: MemoryCrm, store: Store, clock: SetClock, sync: Sync, make_provider: MakeProvider
) -> None:
    put_list(store, clock, [LISTED])
    provider = make_provider()

    sync(lookups=[provider])

    assert statuses(people)["listed"] == "do_not_contact"
    assert people.rows["people"]["listed"]["optout"] is True
    assert "us-dnc" in people.rows["people"]["listed"]["rf_phone_reason"]
    assert provider.asked == [FREE]


def test_a_list_reaches_records_that_are_fresh(people: MemoryCrm, store: Store, clock: SetClock, sync: Sync) -> None:
    sync()
    put_list(store, clock, [LISTED])

    sync()

    assert statuses(people) == {"listed": "do_not_contact", "free": "valid"}


def test_who_left_the_list_keeps_the_flag_which_is_named(
    people: MemoryCrm, store: Store, clock: SetClock, sync: Sync
) -> None:
    put_list(store, clock, [LISTED], age_days=2)
    sync()
    put_list(store, clock, [FREE], age_days=1)

    summary = sync()

    assert people.rows["people"]["listed"]["optout"] is True
    assert [flag.id for flag in summary.stale_flags] == ["listed"]
    assert statuses(people)["free"] == "do_not_contact"


def test_while_a_list_is_expired_only_opt_outs_are_enforced(
    people: MemoryCrm, store: Store, clock: SetClock, sync: Sync, make_provider: MakeProvider
) -> None:
    put_list(store, clock, [LISTED], age_days=40)
    provider = make_provider()

    error = stop(sync, lookups=[provider])

    assert "us-dnc" in str(error)
    assert statuses(people) == {"listed": "do_not_contact", "free": None}
    assert provider.asked == []


def test_what_waited_is_done_once_a_newer_list_is_there(
    people: MemoryCrm, store: Store, clock: SetClock, sync: Sync
) -> None:
    put_list(store, clock, [LISTED], age_days=40)
    stop(sync)
    put_list(store, clock, [LISTED], age_days=1)

    assert sync().complete

    assert statuses(people) == {"listed": "do_not_contact", "free": "valid"}


def test_an_expired_list_that_is_allowed_is_named(people: MemoryCrm, store: Store, clock: SetClock, sync: Sync) -> None:
    put_list(store, clock, [LISTED], age_days=40)

    summary = sync(allow_expired_lists=True)

    assert summary.complete
    assert summary.to_json()["expired_lists"] == ["us-dnc"]
    assert statuses(people)["free"] == "valid"


def test_a_list_of_another_country_stops_nothing_until_a_number_of_it_is_met(
    people: MemoryCrm, store: Store, clock: SetClock, sync: Sync
) -> None:
    put_list(store, clock, ["+442079460000"], name="tps", country="GB", age_days=40)
    assert sync().complete

    people.put("people", "british", phone=BRITISH)
    stop(sync)

    assert statuses(people)["british"] is None
    people.rows["people"].pop("british")
    stop(sync)  # what an account has held it may hold again
