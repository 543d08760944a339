"""Opt-outs are enforced in every run, whatever else of it fails: on the records that ask, and on the other holders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from ringfence.connectors.memory import MemoryCrm
from ringfence.connectors.memory.connector import MemoryFeed
from ringfence.core.decisions import mass_change
from ringfence.core.errors import AuthenticationError, QuotaError, RingfenceError, UnreachableError
from ringfence.core.model.answers import AnswerKind
from ringfence.core.runs.decider import Decider
from ringfence.core.runs.summary import Summary
from ringfence.core.state.run_history import list_runs
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.memory_runs import MakeProvider, Sync

SHARED, OTHER, NEW = "+1 415 555 0132", "+44 20 7946 0018", "+1 415 555 0133"
OUTAGES = [AuthenticationError("the key has expired"), QuotaError("no credit"), UnreachableError("no answer")]


def status(crm: MemoryCrm, id_: str, slot: str = "phone") -> Any:
    return crm.rows["people"][id_].get(f"rf_{slot}_status")


def run_to_its_end(sync: Sync, store: Store, **options: Any) -> Any:
    """Run a sync, and return the summary that the history keeps, whether it raised or returned one."""
    with suppress(RingfenceError, ValueError):
        sync(**options)
    return list_runs(store)[0].summary


@pytest.fixture
def settled(crm: MemoryCrm, sync: Sync) -> MemoryCrm:
    """Four records that were screened once; then one asks for silence, and one gets another number."""
    crm.put("people", "asks", phone=SHARED, mobile=OTHER)
    crm.put("people", "shares", mobile=SHARED)
    crm.put("people", "other", phone="+1 415 555 0155")
    crm.put("people", "zed", phone="+1 415 555 0144")
    sync()
    sync()
    crm.put("people", "asks", optout=True)
    crm.put("people", "zed", phone=NEW)
    return crm


def assert_enforced(crm: MemoryCrm) -> None:
    assert status(crm, "asks") == status(crm, "asks", "mobile") == "do_not_contact"
    assert crm.rows["people"]["shares"]["optout"] is True
    assert status(crm, "shares", "mobile") == "do_not_contact"


@pytest.mark.parametrize("outage", OUTAGES)
@pytest.mark.parametrize("state", ["kept", "lost"])
def test_while_no_provider_answers_numbers_wait_and_opt_outs_do_not(
    settled: MemoryCrm, sync: Sync, store: Store, make_provider: MakeProvider, outage: RingfenceError, state: str
) -> None:
    settled.put("people", "wrong", phone="12")
    provider = make_provider(says=dict.fromkeys(("+14155550133", "+14155550144", "+14155550155"), outage))
    options = {"full": True} if state == "lost" else {}

    summary = run_to_its_end(sync, store, lookups=[provider], **options)

    assert_enforced(settled)
    assert status(settled, "wrong") == "invalid"
    assert settled.rows["people"]["zed"]["rf_phone_screened_value"] != NEW
    assert not summary["complete"]
    assert summary["objects"]["people"]["deferred"] == 1
    assert len(provider.asked) == 1

    provider.says.clear()
    assert sync(lookups=[provider]).complete
    assert status(settled, "zed") == "active"


def test_refused_credentials_of_the_last_provider_are_raised_at_the_end(
    settled: MemoryCrm, sync: Sync, make_provider: MakeProvider
) -> None:
    provider = make_provider(says={"+14155550133": OUTAGES[0]})

    with pytest.raises(AuthenticationError, match="expired"):
        sync(lookups=[provider])


def test_a_run_in_which_lookups_fail_is_not_complete(
    settled: MemoryCrm, sync: Sync, make_provider: MakeProvider
) -> None:
    provider = make_provider(says={"+14155550133": {"kind": AnswerKind.FAILED, "paid": False}})

    summary = sync(lookups=[provider])

    assert not summary.complete
    assert "1 lookups failed for now" in summary.stopped
    assert_enforced(settled)


def test_a_mass_change_stops_verdicts_and_no_silencing(crm: MemoryCrm, sync: Sync) -> None:
    numbers = [f"020 7946 0{i:03}" for i in range(60)]
    for i, number in enumerate(numbers):
        crm.put("people", f"p{i:02}", phone=number, country="United Kingdom")
    crm.put("people", "asks", phone=SHARED, mobile=OTHER)
    crm.put("people", "shares", mobile=SHARED)
    crm.capabilities = type(crm.capabilities)(write_batch=20)
    sync()
    sync()
    for i, number in enumerate(numbers):
        crm.put("people", f"p{i:02}", country="US", phone=f"{number} ")
        crm.rows["people"][f"p{i:02}"]["rf_phone_screened_value"] = "another"
    crm.put("people", "asks", optout=True)
    crm.put("people", "zed", phone=SHARED)

    stopped = sync()

    assert "would become invalid" in stopped.stopped
    assert_enforced(crm)
    assert crm.rows["people"]["zed"]["optout"] is True
    assert stopped.total("written") < 60
    assert status(crm, "p59") == "valid"
    accepted = sync(accept_mass_change=True)
    assert accepted.complete
    assert {status(crm, f"p{i:02}") for i in range(60)} == {"invalid"}


@pytest.mark.parametrize("words", [{}, {"full": True}])
def test_an_empty_full_read_stops_verdicts_and_no_silencing(
    settled: MemoryCrm, sync: Sync, monkeypatch: pytest.MonkeyPatch, words: dict[str, Any]
) -> None:
    monkeypatch.setattr(mass_change, "THOUSANDS", 4)

    with monkeypatch.context() as unseen:
        unseen.setattr(MemoryFeed, "_candidates", lambda _feed, _name: [])
        unseen.setattr(MemoryFeed, "flagged", _flagged_of_all)
        stopped = sync(full=True)

    assert "returned no record" in stopped.stopped
    assert status(settled, "asks") == status(settled, "shares", "mobile") == "do_not_contact"
    assert status(settled, "zed") == "valid"
    assert sync(**words).complete
    assert_enforced(settled)


def _flagged_of_all(feed: MemoryFeed) -> Iterator[Any]:
    records = [record for record in feed.every("people") if record.values.get("optout")]
    yield from feed.pages("people", records)


def _fail_reading(error: Exception) -> Callable[[pytest.MonkeyPatch], None]:
    def patch(patched: pytest.MonkeyPatch) -> None:
        def changed(_feed: MemoryFeed) -> Iterator[Any]:
            raise error
            yield

        patched.setattr(MemoryFeed, "changed", changed)

    return patch


def _fail_deciding(patched: pytest.MonkeyPatch) -> None:
    def decide(_decider: Decider, _records: Any) -> None:
        patched.undo()
        raise ValueError("a fault of the program")

    patched.setattr(Decider, "decide", decide)


def _fail_writing(patched: pytest.MonkeyPatch) -> None:
    def write(_crm: MemoryCrm, _changes: Any) -> Any:
        patched.undo()
        raise UnreachableError("cut off")

    patched.setattr(MemoryCrm, "write", write)


@pytest.mark.parametrize(
    "fail",
    [_fail_reading(QuotaError("the day is over")), _fail_reading(ValueError("a bug")), _fail_deciding, _fail_writing],
    ids=["quota", "fault in reading", "fault in deciding", "outage in writing"],
)
def test_what_ends_the_reading_keeps_no_known_opt_out_waiting(
    settled: MemoryCrm, sync: Sync, store: Store, fail: Callable[[pytest.MonkeyPatch], None]
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        fail(patched)
        summary = run_to_its_end(sync, store)

    assert_enforced(settled)
    assert not summary["complete"]
    assert sync().complete
    assert settled.rows["people"]["zed"]["rf_phone_screened_value"] == NEW


def test_a_budget_that_is_used_up_before_the_flagged_record_comes_leaves_it_silenced(
    crm: MemoryCrm, sync: Sync, make_provider: MakeProvider, clock: SetClock
) -> None:
    for i in range(12):
        crm.put("people", f"p{i:02}", phone=f"+1 415 555 01{i + 10}")
    crm.put("people", "zed", phone=SHARED, optout=True)

    summary: Summary = sync(lookups=[make_provider()], max_lookups=2)

    assert not summary.complete
    assert status(crm, "zed") == "do_not_contact"
