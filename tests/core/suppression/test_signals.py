"""What signals do to a ledger: STOP blocks, START ends that alone, whichever comes first; the rest is evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from sqlalchemy import select

from ringfence.core.model.blocks import BlockKind, BlockSource, Channel, NewEntry, RecordName
from ringfence.core.model.review_items import ReviewItem
from ringfence.core.model.signals import OptOutWord, Outcome, Signal
from ringfence.core.ports.crm import Org
from ringfence.core.state import schema
from ringfence.core.state.audit import AuditLog
from ringfence.core.state.blocks import Blocks
from ringfence.core.state.cursors import register_org
from ringfence.core.state.erased import mark_erased
from ringfence.core.state.evidence import Evidence, list_evidence
from ringfence.core.state.heard_signals import find_heard, take_turns
from ringfence.core.state.holdings import Holding, Holdings
from ringfence.core.state.number_signs import NumberSigns
from ringfence.core.state.review_queue import ReviewQueue
from ringfence.core.state.store import Store
from ringfence.core.suppression.signals import Became, SignalIntake
from testkit.clock import SetClock

NUMBER = "+14155552671"
STOP, START, NEAR = OptOutWord.STOP, OptOutWord.START, OptOutWord.NEAR_STOP

Tell = Callable[..., Became]


@pytest.fixture
def tell(store: Store, clock: SetClock) -> Tell:
    """Give a way to take one signal in, by default a text message of now; each has an id of its own."""
    count = iter(range(1, 1000))

    def call(covers: Channel = Channel.SMS, number: str = NUMBER, **told: object) -> Became:
        plain = Signal("twilio", f"SM{next(count)}", number, clock.now(), channel=Channel.SMS)
        intake = SignalIntake(store.keyring, "", covers, clock.now(), lambda org: org.partition(":")[0])
        with store.transaction() as connection:
            return intake.take_in(connection, plain._replace(**told), [number])  # type: ignore[arg-type]  # by name

    return call


@pytest.fixture
def channels(store: Store, clock: SetClock) -> Callable[[], list[Channel]]:
    """Tell the channels that entries block for the number."""

    def call() -> list[Channel]:
        with store.transaction() as connection:
            found = Blocks(store.keyring, "").find_blocks(connection, [NUMBER], clock.now())
        return [each.channel for each in found.get(NUMBER, [])]

    return call


def waiting(store: Store) -> list[ReviewItem]:
    with store.transaction() as connection:
        return ReviewQueue(store.keyring, "").list_open(connection)


def heard(store: Store) -> list[Evidence]:
    with store.transaction() as connection:
        return list(list_evidence(connection, store.keyring, store.keyring.number_key(NUMBER)))


def acts(store: Store) -> list[tuple[str, str]]:
    with store.transaction() as connection:
        return [(each.author, each.action) for each in AuditLog(store.keyring).latest(connection, None, 100)]


def hold(store: Store, *record_ids: str) -> None:
    org_id = register_org(store, Org("hubspot", "1", "One", production=False), "")
    with store.transaction() as connection:
        held = [Holding("contacts", each, (NUMBER,), flagged=False) for each in record_ids]
        Holdings(store.keyring, org_id).replace(connection, held)


def test_a_stop_blocks_what_the_setting_says_once_and_is_on_the_audit_log(
    store: Store, tell: Tell, channels: Callable[[], list[Channel]]
) -> None:
    assert tell(word=STOP, said="Stop") is Became.BLOCKED
    assert channels() == [Channel.SMS]
    assert tell(word=STOP, said="STOP!") is Became.BLOCKED
    assert channels() == [Channel.SMS]
    assert tell(Channel.ALL, word=STOP) is Became.BLOCKED
    assert sorted(channels()) == [Channel.ALL, Channel.SMS]

    assert acts(store) == [("twilio", "add"), ("twilio", "add")]
    assert [each.said for each in heard(store)] == ["Stop", "STOP!", ""]


def test_the_same_signal_told_again_does_nothing(
    store: Store, clock: SetClock, tell: Tell, channels: Callable[[], list[Channel]]
) -> None:
    assert tell(id="SM-stop", word=STOP) is Became.BLOCKED
    clock.advance(seconds=5)
    assert tell(id="SM-start", word=START) is Became.LIFTED
    clock.advance(seconds=5)
    assert tell(id="SM-stop", word=STOP) is Became.KNOWN
    assert channels() == []
    assert tell(id="SM-stop", vendor="vonage", word=STOP) is Became.BLOCKED  # another vendor's id is another
    assert len(heard(store)) == 3


def test_a_start_ends_what_a_stop_to_the_same_vendor_made_and_nothing_else(
    store: Store, clock: SetClock, tell: Tell, channels: Callable[[], list[Channel]]
) -> None:
    person = NewEntry(NUMBER, BlockKind.OPTED_OUT, Channel.SMS, BlockSource.PERSON, "by hand", "ann@host", clock.now())
    with store.transaction() as connection:
        Blocks(store.keyring, "").add(connection, person)
    tell(vendor="vonage", word=STOP)
    tell(outcome=Outcome.ASKED_NOT_TO_CALL)
    clock.advance(seconds=5)
    assert tell(word=START) is Became.EVIDENCE
    assert sorted(channels()) == [Channel.ALL, Channel.SMS, Channel.SMS]

    assert tell(vendor="vonage", word=START) is Became.LIFTED
    assert sorted(channels()) == [Channel.ALL, Channel.SMS]
    assert acts(store)[0] == ("vonage", "lift")


def test_what_the_vendor_itself_holds_back_is_a_block_that_a_start_ends(
    clock: SetClock, tell: Tell, channels: Callable[[], list[Channel]]
) -> None:
    assert tell(Channel.ALL, word=STOP, outcome=Outcome.BLOCKED, code="21610", detail="unsubscribed") is Became.BLOCKED
    assert channels() == [Channel.SMS]
    clock.advance(seconds=5)
    assert tell(word=START) is Became.LIFTED
    assert channels() == []


@pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("words", [(STOP, START, STOP, START), (START, STOP, START, STOP)], ids=["starts", "stops"])
def test_the_latest_word_counts_in_whatever_order_they_come(
    words: Sequence[OptOutWord], store: Store, clock: SetClock, tell: Tell
) -> None:
    began = clock.now()
    clock.advance(seconds=600)
    orders = {f"+141555526{place:02}": order for place, order in enumerate(permutations(range(len(words))))}
    for number, order in orders.items():
        for place in order:
            tell(number=number, word=words[place], occurred_at=began + timedelta(minutes=place))

    with store.transaction() as connection:
        blocked = set(Blocks(store.keyring, "").find_blocks(connection, orders, clock.now()))
    assert blocked == (set(orders) if words[-1] is STOP else set())


def test_a_start_of_the_same_moment_lifts_nothing(tell: Tell, channels: Callable[[], list[Channel]]) -> None:
    tell(word=STOP)
    assert tell(word=START) is Became.EVIDENCE
    assert channels() == [Channel.SMS]


def test_a_moment_that_is_yet_to_come_counts_as_now(
    store: Store, clock: SetClock, tell: Tell, channels: Callable[[], list[Channel]]
) -> None:
    tell(word=START, occurred_at=clock.now() + timedelta(days=400))
    clock.advance(seconds=5)
    assert tell(word=STOP) is Became.BLOCKED
    assert channels() == [Channel.SMS]
    assert all(each.occurred_at <= clock.now() for each in heard(store))


def test_near_opt_outs_wait_for_a_person_from_the_moment_of_the_first(
    store: Store, clock: SetClock, tell: Tell, channels: Callable[[], list[Channel]]
) -> None:
    first: datetime = clock.now()
    assert tell(word=NEAR, said="please stop, call +1 415 555 0199 instead") is Became.REVIEW
    clock.advance(hours=1)
    assert tell(word=NEAR, said="stop it") is Became.REVIEW

    (item,) = waiting(store)
    assert (item.number, item.org, item.since) == (NUMBER, "", first)
    assert "please stop" in item.evidence
    assert "0199" not in item.evidence.replace("***99", "")
    assert channels() == []

    tell(word=STOP)
    with store.transaction() as connection:
        assert ReviewQueue(store.keyring, "elsewhere").list_open(connection) == []
    assert tell(word=NEAR, said="stop already") is Became.EVIDENCE
    assert tell(word=OptOutWord.NEAR_WRONG_NUMBER, said="wrong number") is Became.REVIEW


def test_a_wrong_number_is_about_the_one_record_that_holds_it(
    store: Store, clock: SetClock, tell: Tell, channels: Callable[[], list[Channel]]
) -> None:
    assert tell(outcome=Outcome.WRONG_NUMBER) is Became.REVIEW  # nobody is known to hold it
    hold(store, "7")
    assert tell(outcome=Outcome.DECEASED) is Became.WRONG_PERSON
    hold(store, "8")
    assert tell(outcome=Outcome.WRONG_NUMBER) is Became.REVIEW
    named = RecordName("hubspot", "contacts", "8")
    assert tell(outcome=Outcome.WRONG_NUMBER, record=named) is Became.WRONG_PERSON

    assert channels() == []  # the number itself may be contacted
    with store.transaction() as connection:
        found = Blocks(store.keyring, "").find_wrong_persons(connection, [NUMBER], ["hubspot"], clock.now())
    assert set(found) == {("contacts", "7", NUMBER), ("contacts", "8", NUMBER)}
    assert [(each.reason.value, each.record_id) for each in waiting(store)] == [("ambiguous", "")]


def test_other_outcomes_are_evidence_and_block_nothing(
    store: Store, tell: Tell, channels: Callable[[], list[Channel]]
) -> None:
    others = [each for each in Outcome if each is not Outcome.ASKED_NOT_TO_CALL]
    for outcome in others:
        tell(outcome=outcome, code="30005", detail="gone")

    assert channels() == []
    kept = heard(store)
    assert {each.outcome for each in kept} == set(others)
    assert {(each.code, each.number, each.source, each.detail) for each in kept} == {
        ("30005", NUMBER, "twilio", "gone")
    }


def test_of_an_erased_number_the_block_is_kept_and_nothing_else(
    store: Store, clock: SetClock, tell: Tell, channels: Callable[[], list[Channel]]
) -> None:
    with store.transaction() as connection:
        mark_erased(connection, store.keyring, NUMBER, clock.now())
    assert tell(word=NEAR, said="please stop") is Became.BLOCKED  # nobody could be asked about it
    assert channels() == [Channel.SMS]
    began = clock.now()
    clock.advance(seconds=600)
    tell(word=STOP, occurred_at=began + timedelta(minutes=3))
    assert tell(word=START, occurred_at=began + timedelta(minutes=2)) is Became.EVIDENCE
    tell(outcome=Outcome.WRONG_NUMBER)

    assert channels()
    assert heard(store) == []
    assert [each.number for each in waiting(store)] == [""]
    with store.transaction() as connection:
        entries = Blocks(store.keyring, "").list_active(connection, clock.now())
        assert {(each.number, each.reason, each.evidence) for each in entries} == {("", "", "")}


def test_nothing_lies_in_the_clear(store: Store, tell: Tell) -> None:
    tell(id=f"call {NUMBER}", word=STOP, said="Stop it, says 4155552671", sender=NUMBER)
    tell(word=NEAR, said=f"stop {NUMBER}")
    with store.transaction() as connection:
        for table in (schema.heard_signals, schema.evidence, schema.blocks, schema.review_items, schema.audit):
            for row in connection.execute(select(table)):
                assert "4155552671" not in repr(tuple(row))


def test_a_signal_that_nobody_can_read_is_heard_once(store: Store, clock: SetClock) -> None:
    intake = SignalIntake(store.keyring, "", Channel.SMS, clock.now(), lambda org: org)
    signal = Signal("twilio", "SM1", "12345", clock.now(), word=STOP)
    with store.transaction() as connection:
        assert intake.take_in(connection, signal, []) is Became.UNREADABLE
        assert intake.take_in(connection, signal, []) is Became.KNOWN


def test_a_signal_of_several_readings_blocks_each(store: Store, clock: SetClock) -> None:
    intake = SignalIntake(store.keyring, "", Channel.SMS, clock.now(), lambda org: org)
    signal = Signal("generic", "1", "20 7946 0000", clock.now(), outcome=Outcome.ASKED_NOT_TO_CALL)
    others = [NUMBER, "+442079460000"]
    with store.transaction() as connection:
        assert intake.take_in(connection, signal, others) is Became.BLOCKED
        assert set(Blocks(store.keyring, "").find_blocks(connection, others, clock.now())) == set(others)


def test_the_same_signal_heard_by_many_at_once_acts_once(store: Store, clock: SetClock) -> None:
    def tell(place: int) -> Became:
        intake = SignalIntake(store.keyring, "", Channel.SMS, clock.now(), lambda org: org)
        with store.transaction() as connection:
            take_turns(connection, store.keyring, [NUMBER])
            signal = Signal("twilio", f"SM{place % 2}", NUMBER, clock.now(), word=STOP, channel=Channel.SMS)
            return intake.take_in(connection, signal, [NUMBER])

    with ThreadPoolExecutor(4) as pool:
        became = list(pool.map(tell, range(8)))

    assert sorted(became) == [Became.BLOCKED] * 2 + [Became.KNOWN] * 6
    with store.transaction() as connection:
        assert len(Blocks(store.keyring, "").history(connection, NUMBER)) == 1
    assert acts(store) == [("twilio", "add")]


def test_many_signals_at_once_do_what_each_does_alone(store: Store, clock: SetClock) -> None:
    began = clock.now()
    told = [
        Signal("twilio", "a", NUMBER, began - timedelta(days=3), outcome=Outcome.UNDELIVERED, channel=Channel.SMS),
        Signal("twilio", "b", NUMBER, began - timedelta(days=2), word=STOP, said="STOP", channel=Channel.SMS),
        Signal("twilio", "a", NUMBER, began, outcome=Outcome.DELIVERED, channel=Channel.SMS),
        Signal("dialler", "a", NUMBER, began - timedelta(days=1), outcome=Outcome.ASKED_NOT_TO_CALL),
        Signal("dialler", "c", NUMBER, began, outcome=Outcome.NO_ANSWER, channel=Channel.VOICE),
    ]
    intake = SignalIntake(store.keyring, "", Channel.SMS, began, lambda org: org)

    with store.transaction() as connection:
        became = intake.take_in_all(connection, [(signal, [NUMBER]) for signal in told])
    with store.transaction() as connection:
        again = intake.take_in_all(connection, [(signal, [NUMBER]) for signal in told])
        signs = NumberSigns(store.keyring, "").find(connection, [NUMBER])[NUMBER]
        kinds = [each.kind for each in Blocks(store.keyring, "").find_active(connection, [NUMBER], began)[NUMBER]]

    assert became == [Became.EVIDENCE, Became.BLOCKED, Became.KNOWN, Became.BLOCKED, Became.EVIDENCE]
    assert again == [Became.KNOWN] * 5
    assert [each.outcome for each in heard(store)] == [
        Outcome.UNDELIVERED,
        None,
        Outcome.ASKED_NOT_TO_CALL,
        Outcome.NO_ANSWER,
    ]
    assert len(signs) == 4
    assert kinds == [BlockKind.OPTED_OUT, BlockKind.DNC_INTERNAL]


def test_a_signal_that_is_told_again_for_ever_is_remembered_for_ever(store: Store, clock: SetClock) -> None:
    signal = Signal("vonage", "m", NUMBER, clock.now(), outcome=Outcome.DELIVERED, channel=Channel.SMS)
    intake = SignalIntake(store.keyring, "", Channel.SMS, clock.now(), lambda org: org)

    def timeless() -> list[bool]:
        with store.transaction() as connection:
            return list(connection.scalars(select(schema.heard_signals.c.timeless)))

    with store.transaction() as connection:
        intake.take_in(connection, signal, [NUMBER])
    assert timeless() == [False]
    with store.transaction() as connection:
        assert intake.take_in_all(connection, [(signal, [NUMBER])], for_ever=True) == [Became.KNOWN]
        assert find_heard(connection, store.keyring, [("vonage", "m"), ("vonage", "n"), ("twilio", "m")]) == {0}
    assert timeless() == [True]


def test_of_an_erased_number_nothing_is_kept_among_many(store: Store, clock: SetClock) -> None:
    other = "+14155552672"
    intake = SignalIntake(store.keyring, "", Channel.SMS, clock.now(), lambda org: org)
    told = [(Signal("dialler", each, each, clock.now(), outcome=Outcome.CONNECTED), [each]) for each in (NUMBER, other)]
    with store.transaction() as connection:
        mark_erased(connection, store.keyring, NUMBER, clock.now())
        assert intake.take_in_all(connection, told) == [Became.EVIDENCE] * 2
        assert NumberSigns(store.keyring, "").find(connection, [NUMBER, other]).keys() == {other}
    assert heard(store) == []
