"""Several processes on one PostgreSQL store: one question, one lease, and no waiting for each other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.core.errors import BusyError
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.caps import Caps
from ringfence.core.ports.crm import Org
from ringfence.core.state.cursors import register_org
from ringfence.core.state.holdings import Holding, Holdings
from ringfence.core.state.journal import Journal
from ringfence.core.state.kept_answers import ELSEWHERE
from ringfence.core.state.leases import EXPIRY, Holder, take_lease, this_process
from ringfence.core.state.lookup_cache import LookupCache
from ringfence.core.state.lookup_questions import Claim
from ringfence.core.state.pending import Pending, PendingReason, PendingRow
from ringfence.core.state.sql import in_batches
from ringfence.core.state.store import Store, open_store
from testkit.postgres import EMPTY_STORE, TEST_KEY, PostgresServer
from testkit.stores import what_is_written

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
ORG = Org("memory", "1", "One", production=False)
ELSEWHERE_HOLDER = Holder("elsewhere.example", 1, "1")


@pytest.fixture
def stores(postgres: PostgresServer) -> Iterator[list[Store]]:
    """Give one store as two processes open it."""
    with postgres.database(EMPTY_STORE) as url:
        opened = [open_store(url, TEST_KEY) for _ in range(2)]
        yield opened
        for store in opened:
            store.close()


def at_once(*actions: Callable[[], None]) -> None:
    """Let each action begin at the same moment, and wait for all; the first error passes on."""
    ready, errors = threading.Barrier(len(actions)), []

    def act(action: Callable[[], None]) -> None:
        ready.wait(30)
        try:
            action()
        except BaseException as error:  # noqa: BLE001 - it passes on in the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=act, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if errors:
        raise errors[0]


def question(number: str) -> Answer:
    return Answer(e164=number, kind=AnswerKind.KNOWN, observed_at=NOW, code="asked", paid=False)


@pytest.mark.parametrize("size", [1, 20])
def test_of_two_that_ask_about_a_number_one_asks(stores: list[Store], size: int) -> None:
    for name, store in zip(("r1", "r2"), stores, strict=True):
        Journal(store, name).begin("screen", None, NOW, dry_run=False, options={})
    numbers = [f"+1415555{i:04}" for i in range(40)]
    went_out: list[str] = []
    elsewhere: list[str] = []

    def ask(store: Store, run_id: str) -> Callable[[], None]:
        def act() -> None:
            cache = LookupCache(store, run_id, Caps(max_per_day=1000))
            for some in in_batches(numbers if run_id == "r1" else numbers[::-1], size):
                claims = cache.claim("twilio", [*map(question, some)], NOW - timedelta(days=30), again=False, price=1)
                assert [claim.reached for claim in claims] == [None] * len(some)
                for number, claim in zip(some, claims, strict=True):
                    if claim.instead is None:
                        went_out.append(number)
                    else:
                        assert claim.instead.code == ELSEWHERE
                        elsewhere.append(number)

        return act

    at_once(ask(stores[0], "r1"), ask(stores[1], "r2"))

    assert sorted(went_out) == numbers
    assert sorted(elsewhere) == numbers


def test_batches_in_any_order_never_wait_for_each_other_in_a_circle(stores: list[Store]) -> None:
    org_id = register_org(stores[0], ORG)
    rows = [PendingRow("people", f"p{i:04}", PendingReason.FAILED, "RULE", "no") for i in range(400)]
    answers = [question(f"+1415555{i:04}") for i in range(400)]

    def keep(store: Store, run_id: str, step: int) -> Callable[[], None]:
        def act() -> None:
            for _ in range(5):
                Pending(store, org_id, run_id).put(rows[::step], NOW)
                LookupCache(store, run_id).keep("twilio", answers[::step])
                LookupCache(store, run_id).keep_failures("twilio", answers[::step])
                LookupCache(store, run_id).withdraw_questions(
                    "twilio", {each.e164: Claim() for each in answers[::step]}
                )

        return act

    at_once(keep(stores[0], "r1", 1), keep(stores[1], "r2", -1))

    assert Pending(stores[0], org_id, "r3").count() == {"failed": 400}


def test_a_lease_is_as_old_as_the_server_says_whatever_the_clocks_of_two_machines(stores: list[Store]) -> None:
    org_id = register_org(stores[0], ORG)
    slow, fast = NOW - timedelta(days=3), NOW + timedelta(days=3)

    take_lease(stores[0], org_id, "slow", slow, ELSEWHERE_HOLDER)

    with pytest.raises(BusyError, match="run slow"):
        take_lease(stores[1], org_id, "fast", fast, this_process())


def test_an_abandoned_lease_is_free_by_the_servers_clock(stores: list[Store]) -> None:
    org_id = register_org(stores[0], ORG)
    fast, slow = NOW + timedelta(days=3), NOW - timedelta(days=3)
    take_lease(stores[0], org_id, "gone", fast, ELSEWHERE_HOLDER)

    with stores[0].transaction() as connection:
        connection.exec_driver_sql(f"UPDATE leases SET renewed_at = renewed_at - interval '{EXPIRY.seconds} seconds'")

    take_lease(stores[1], org_id, "next", slow, this_process())


def test_a_rehearsal_is_seen_by_nobody(stores: list[Store]) -> None:
    store, beside = stores
    org_id = register_org(store, ORG)
    row = PendingRow("people", "p1", PendingReason.FAILED, "RULE", "no")

    with store.rehearsal() as rehearsed:
        Pending(rehearsed, org_id, "dry").put([row], NOW)
        with beside.transaction() as connection:
            seen = connection.exec_driver_sql("SELECT count(*) FROM pending").scalar()
        Pending(beside, org_id, "real").put([row], NOW)
        assert Pending(rehearsed, org_id, "dry").count() == {"failed": 1}

    assert seen == 0
    with store.transaction() as connection:
        left = connection.exec_driver_sql("SELECT count(*) FROM pg_class WHERE relpersistence = 't'").scalar()
    assert left == 0


def test_a_rehearsal_after_others_in_one_process_works_on_its_own_copies(stores: list[Store]) -> None:
    store = stores[0]
    org_id = register_org(store, ORG)
    rows = [PendingRow("people", f"p{i}", PendingReason.FAILED, "RULE", "no") for i in range(9)]

    for number, row in enumerate(rows):
        with store.rehearsal() as rehearsed:
            Pending(rehearsed, org_id, "dry").put([row], NOW)
            assert Pending(rehearsed, org_id, "dry").count() == {"failed": number + 1}
        Pending(store, org_id, "real").put([row], NOW)


def test_a_rehearsal_may_write_while_it_reads_on(stores: list[Store]) -> None:
    org_id = register_org(stores[0], ORG)
    row = PendingRow("people", "p1", PendingReason.FAILED, "RULE", "no")

    with stores[0].rehearsal() as rehearsed, rehearsed.transaction() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM pending").scalar() == 0
        Pending(rehearsed, org_id, "dry").put([row], NOW)
        assert connection.exec_driver_sql("SELECT count(*) FROM pending").scalar() == 1


def test_words_of_a_crm_that_no_text_of_the_server_can_hold_fail_nothing(stores: list[Store]) -> None:
    org_id = register_org(stores[0], Org("memory", "1", "N\x00ame" + "x" * 500, production=False, address="y" * 900))
    pending = Pending(stores[0], org_id, "r1")

    pending.put([PendingRow("people", "p1", PendingReason.FAILED, "RU\x00LE", "n\x00o")], NOW)

    assert [(row.code, row.message) for row in pending.next(("", ""), 10)] == [("RULE", "no")]


def test_a_first_sync_searches_by_what_it_has_filled_in_itself(stores: list[Store]) -> None:
    ledger = Holdings(stores[0].keyring, register_org(stores[0], ORG))
    held = [Holding("people", f"p{i:05}", (f"+1415{i:07}",), flagged=False) for i in range(8_000)]

    with stores[0].transaction() as connection:
        ledger.replace(connection, held)
        known = connection.exec_driver_sql("SELECT reltuples FROM pg_class WHERE relname = 'holdings'").scalar()

    assert known == 8_000


def test_a_table_that_has_grown_much_is_looked_at_once(stores: list[Store]) -> None:
    store = stores[0]
    rows = [PendingRow("people", f"p{i:05}", PendingReason.FAILED, "RULE", "no " * 20) for i in range(5_000)]
    Pending(store, register_org(store, ORG), "r1").put(rows, NOW)

    with what_is_written(store) as first:
        store.tend()
    with what_is_written(store) as second:
        store.tend()

    assert first == ["ANALYZE (SKIP_LOCKED) pending"]
    assert second == []
