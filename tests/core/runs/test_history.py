"""What calls and messages show reaches the records that hold the number, by the next sync."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.evidence.intake import EvidenceIntake
from ringfence.core.model.answers import AnswerKind
from ringfence.core.model.axes import Evidence
from ringfence.core.model.evidence_rules import EvidenceRules
from ringfence.core.model.signals import Outcome
from ringfence.core.model.signs import NumberSign, SourceKind
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.memory_runs import MakeProvider, Sync

NUMBER, OTHER = "+14155550132", "+14155550133"
Hear = Callable[..., None]


@pytest.fixture
def hear(store: Store, clock: SetClock) -> Hear:
    """Take signs of the number in, so many days ago each."""

    def take_in(outcome: Outcome, *days: float, kind: SourceKind = SourceKind.CALL, number: str = NUMBER) -> None:
        source = {SourceKind.CALL: "dialler", SourceKind.MESSAGE: "twilio", SourceKind.PERSON: "ann@desk"}[kind]
        signs = [NumberSign(clock.now() - timedelta(days=day), kind, source, outcome) for day in days]
        with store.transaction() as connection:
            EvidenceIntake(store.keyring, "", EvidenceRules(), clock.now()).take_in(connection, {number: signs})

    return take_in


def held(crm: MemoryCrm, id_: str = "p1", what: str = "status") -> Any:
    return crm.rows["people"][id_].get(f"rf_phone_{what}")


@pytest.fixture
def people(crm: MemoryCrm, clock: SetClock) -> MemoryCrm:
    for id_, number in (("p1", NUMBER), ("p2", NUMBER), ("p3", OTHER)):
        crm.put("people", id_, phone=number)
    return crm


def test_a_suspected_number_says_so_on_every_record_and_by_what(people: MemoryCrm, sync: Sync, hear: Hear) -> None:
    sync()
    hear(Outcome.NO_ANSWER, 20, 15, 10, 1)

    done = sync()

    assert [held(people, id_) for id_ in ("p1", "p2", "p3")] == ["suspect", "suspect", "valid"]
    assert held(people, what="reason").startswith("history: 4 calls and messages in a row failed since ")
    assert held(people, what="reason").endswith("(dialler): it waits for a lookup or a review")
    assert (done.total("written"), done.due_reasons) == (2, {"history": 2})
    assert sync().total("due") == 0


def test_it_is_suspected_from_the_first_sync_on(people: MemoryCrm, sync: Sync, hear: Hear) -> None:
    hear(Outcome.NO_ANSWER, 20, 15, 10, 1)

    sync()

    assert held(people) == "suspect"
    assert sync(full=True).total("written") == 0


def test_somebody_who_is_reached_ends_the_suspicion(people: MemoryCrm, sync: Sync, hear: Hear, clock: SetClock) -> None:
    hear(Outcome.NO_ANSWER, 20, 15, 10, 1)
    sync()
    clock.advance(hours=2)
    reached_at = clock.now()
    hear(Outcome.CONNECTED, 0)

    sync()

    assert held(people) == "active"
    assert held(people, what="reason") == "live: dialler confirmed the line"
    assert held(people, what="last_screened") == reached_at


def test_a_suspect_is_looked_up_first_and_only_once(
    people: MemoryCrm, sync: Sync, hear: Hear, clock: SetClock, make_provider: MakeProvider
) -> None:
    provider = make_provider()
    sync(lookups=[provider])
    provider.asked.clear()
    people.put("people", "p0", phone="+14155550139")  # changed, and behind the suspect all the same
    clock.advance(hours=1)
    hear(Outcome.OUT_OF_SERVICE, 0)
    clock.advance(hours=1)

    sync(lookups=[provider])
    assert provider.asked == [NUMBER, "+14155550139"]
    assert held(people) == "active"

    provider.asked.clear()
    assert sync(lookups=[provider]).total("written") == 0
    assert provider.asked == []


def test_a_suspect_whose_lookup_is_owed_is_suspect_meanwhile(
    people: MemoryCrm, sync: Sync, hear: Hear, clock: SetClock, make_provider: MakeProvider
) -> None:
    provider = make_provider()
    sync(lookups=[provider])
    clock.advance(hours=1)
    hear(Outcome.OUT_OF_SERVICE, 0)

    capped = sync(lookups=[provider], max_lookups=0)
    assert held(people) == "suspect"
    assert capped.total("deferred") == 2

    sync(lookups=[provider])
    assert held(people) == "active"


def test_a_lookup_that_cannot_tell_is_not_bought_again_and_again(
    people: MemoryCrm, sync: Sync, hear: Hear, clock: SetClock, make_provider: MakeProvider
) -> None:
    provider = make_provider(says={NUMBER: {"kind": AnswerKind.INCONCLUSIVE}})
    sync(lookups=[provider])
    clock.advance(hours=1)
    hear(Outcome.OUT_OF_SERVICE, 0)
    clock.advance(hours=1)

    for _ in range(3):
        sync(lookups=[provider])
        clock.advance(hours=1)

    assert held(people) == "suspect"
    assert provider.asked.count(NUMBER) == 2


def test_two_kinds_of_source_make_it_disconnected_without_a_lookup(
    people: MemoryCrm, sync: Sync, hear: Hear, make_provider: MakeProvider
) -> None:
    hear(Outcome.OUT_OF_SERVICE, 3)
    hear(Outcome.OUT_OF_SERVICE, 2, kind=SourceKind.MESSAGE)

    sync()

    assert held(people) == "disconnected"
    assert "dialler and twilio" in held(people, what="reason")


def test_an_answered_call_outweighs_an_older_bad_lookup(
    people: MemoryCrm, sync: Sync, hear: Hear, clock: SetClock, make_provider: MakeProvider
) -> None:
    dead = {"kind": AnswerKind.KNOWN, "line": "disconnected", "evidence": Evidence.LIVE_NETWORK}
    provider = make_provider(says={NUMBER: dead})
    sync(lookups=[provider])
    assert held(people) == "disconnected"
    clock.advance(hours=3)
    hear(Outcome.CONNECTED, 0)

    sync(lookups=[provider])

    assert held(people) == "active"
    assert provider.asked.count(NUMBER) == 1


@pytest.mark.parametrize(
    ("outcome", "status"), [(Outcome.CONNECTED, "active"), (Outcome.OUT_OF_SERVICE, "disconnected")]
)
def test_what_a_person_decides_is_written_and_says_by_whom(
    people: MemoryCrm, sync: Sync, hear: Hear, clock: SetClock, outcome: Outcome, status: str
) -> None:
    hear(Outcome.NO_ANSWER, 20, 15, 10, 1)
    sync()
    clock.advance(hours=1)
    hear(outcome, 0, kind=SourceKind.PERSON)

    sync()

    assert held(people) == status
    assert "ann@desk" in held(people, what="reason")


def test_a_run_that_dies_before_its_records_are_written_hears_it_again(
    people: MemoryCrm, sync: Sync, hear: Hear, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync()
    hear(Outcome.NO_ANSWER, 20, 15, 10, 1)

    def die(*_words: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("ringfence.core.runs.hear_signs.keep_mark", die)
        with pytest.raises(KeyboardInterrupt):
            sync()
    sync()

    assert held(people) == held(people, "p2") == "suspect"


def test_a_dry_run_tells_of_it_and_hears_nothing_for_the_next_one(people: MemoryCrm, sync: Sync, hear: Hear) -> None:
    sync()
    hear(Outcome.NO_ANSWER, 20, 15, 10, 1)

    assert sync(dry_run=True).total("written") == 2
    assert held(people) == "valid"
    assert sync().total("written") == 2


def test_many_numbers_of_one_moment_are_all_heard(
    crm: MemoryCrm, sync: Sync, store: Store, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [f"+1415555{place:04d}" for place in range(7)]
    for number in numbers:
        crm.put("people", number[-4:], phone=number)
    sync()
    monkeypatch.setattr("ringfence.core.runs.hear_signs.NUMBERS", 3)
    dead = NumberSign(clock.now(), SourceKind.CALL, "dialler", Outcome.OUT_OF_SERVICE)
    with store.transaction() as connection:
        intake = EvidenceIntake(store.keyring, "", EvidenceRules(), clock.now())
        intake.take_in(connection, {number: [dead] for number in numbers})

    sync()

    assert {held(crm, number[-4:]) for number in numbers} == {"suspect"}
