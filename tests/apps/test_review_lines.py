"""``ringfence review`` of what is about the state of a line: shown with all that is known, and decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.axes import Evidence
from ringfence.core.model.blocks import Channel
from ringfence.core.model.review_items import ReviewReason
from ringfence.core.model.signals import Outcome, Signal
from ringfence.core.model.signs import NumberSign, SourceKind
from ringfence.core.numbers import Validity
from ringfence.core.ports.crm import Org
from ringfence.core.state.cursors import register_org
from ringfence.core.state.holdings import Holding, Holdings
from ringfence.core.state.lookup_cache import LookupCache
from ringfence.core.state.number_signs import NumberSigns
from ringfence.core.state.review_queue import ReviewQueue
from ringfence.core.state.store import Store, open_store
from ringfence.core.suppression.signals import SignalIntake
from ringfence.sandbox.server import Sandbox
from testkit.clock import SetClock

from .conftest import Cli

LINE = "+14155552671"
ORG = Org("hubspot", "1", "One", production=False)
Ask = Callable[..., None]


@pytest.fixture
def store(cli: Cli) -> Iterator[Store]:
    """The state of the user's folder; close it before a command that changes what it holds."""
    del cli  # whose folder it is
    with closing(open_store("sqlite:///ringfence.db", None)) as opened:
        yield opened


@pytest.fixture
def ask(store: Store, clock: SetClock) -> Ask:
    """Ask a person about the number, for that reason."""

    def call(reason: ReviewReason = ReviewReason.SUSPECT, number: str = LINE, days: float = 0) -> None:
        since = clock.now() - timedelta(days=days)
        with store.transaction() as connection:
            queue = ReviewQueue(store.keyring, "")
            assert queue.ask_about_number(connection, number, reason, Channel.ALL, "4 calls failed", since)

    return call


def signs(store: Store) -> list[NumberSign]:
    with store.transaction() as connection:
        return list(NumberSigns(store.keyring, "").find(connection, [LINE]).get(LINE, ()))


def test_an_item_is_shown_with_all_that_is_known_and_what_each_decision_would_do(
    cli: Cli, ask: Ask, store: Store, clock: SetClock
) -> None:
    now = clock.now()
    ask()
    with store.transaction() as connection:
        org_id = register_org(store, ORG, "")
        Holdings(store.keyring, org_id).replace(connection, [Holding("contacts", "101", (LINE,), flagged=False)])
        intake = SignalIntake(store.keyring, "", Channel.SMS, now, lambda org: org)
        for signal in (
            Signal("dialler", "c1", LINE, now - timedelta(days=9), Outcome.NO_ANSWER, channel=Channel.VOICE),
            Signal("twilio", "m1", LINE, now - timedelta(days=3), Outcome.UNDELIVERED, code="30003", detail="off"),
        ):
            intake.take_in(connection, signal, [LINE])
    told = Answer(
        LINE,
        AnswerKind.KNOWN,
        now - timedelta(days=30),
        validity=Validity.VALID,
        line="active",
        evidence=Evidence.LIVE_NETWORK,
    )
    LookupCache(store, "r1").record_answer("twilio:x:y", told)

    document = cli("review", "show", "1", "--json").document
    shown = cli("review", "show", "1")

    assert (document["number"], document["resolved"]) == ("+1415***2671", None)
    assert document["records"] == [{"crm": "hubspot", "object": "contacts", "id": "101"}]
    assert [(each["kind"], each["source"]) for each in document["history"]] == [
        ("lookup", "twilio"),
        ("call", "dialler"),
        ("message", "twilio"),
    ]
    assert document["history"][2]["said"] == "undelivered, code 30003, off"
    assert list(document["decisions"]) == ["live", "dead", "opted_out", "wrong_person", "dismiss"]
    assert "disconnected on the record that holds it" in document["decisions"]["dead"]
    assert "5552671" not in shown.out
    assert "no answer" in shown.out
    assert cli("review", "show", "9").code == 2


@pytest.mark.parametrize(
    ("reason", "decision", "outcome"),
    [
        (ReviewReason.SUSPECT, "live", Outcome.CONNECTED),
        (ReviewReason.CONFLICT, "dead", Outcome.OUT_OF_SERVICE),
        (ReviewReason.SILENT, "dead", Outcome.OUT_OF_SERVICE),
    ],
)
def test_a_decision_about_a_line_is_evidence_of_whoever_decided(
    cli: Cli, ask: Ask, store: Store, reason: ReviewReason, decision: str, outcome: Outcome
) -> None:
    ask(reason)

    done = cli("review", "resolve", "1", "--as", decision, "--note", "rang it: +14155559999", "--json")

    assert done.document == {"resolved": 1}
    (sign,) = signs(store)
    assert (sign.kind, sign.outcome) == (SourceKind.PERSON, outcome)
    audit = cli("audit", "list", "--json").document["entries"]
    assert [(each["action"], each["author"]) for each in audit] == [("resolve", sign.source)]
    document = cli("review", "show", "1", "--json").document
    assert (document["resolved"]["as"], document["resolved"]["by"]) == (decision, sign.source)
    assert document["resolved"]["note"] == "rang it: +1415***9999"
    assert [(each["kind"], each["said"]) for each in document["history"]] == [
        ("decision", f"{decision}: rang it: +1415***9999")
    ]
    assert cli("review", "list", "--json").document == {"items": []}


def test_a_decision_is_news_though_a_call_has_said_the_same(cli: Cli, ask: Ask, store: Store) -> None:
    now = datetime.now(UTC)  # as the command has it
    with store.transaction() as connection:
        intake = SignalIntake(store.keyring, "", Channel.SMS, now, lambda org: org)
        intake.take_in(connection, Signal("dialler", "c1", LINE, now, Outcome.CONNECTED), [LINE])
        ((mark, key),) = NumberSigns(store.keyring, "").stirred_after(connection, 0, b"", 9)
    ask(ReviewReason.CONFLICT)

    assert cli("review", "resolve", "1", "--as", "live", "--note", "rang it").code == 0

    with store.transaction() as connection:
        assert NumberSigns(store.keyring, "").stirred_after(connection, mark, key, 9) == [(mark + 1, key)]


def test_what_is_decided_at_once_is_evidence_for_each_number(cli: Cli, ask: Ask, store: Store) -> None:
    ask()
    ask(number="+14155552672")

    done = cli("review", "resolve", "--reason", "suspect", "--as", "dead", "--note", "all rang dead", "--json")

    assert done.document == {"resolved": 2}
    with store.transaction() as connection:
        assert len(NumberSigns(store.keyring, "").find(connection, [LINE, "+14155552672"])) == 2


def test_of_an_erased_number_a_decision_keeps_nothing(cli: Cli, ask: Ask, store: Store) -> None:
    ask()
    assert cli("state", "erase", LINE, "--reason", "asked for", "--yes").code == 0

    assert cli("review", "resolve", "1", "--as", "dead", "--note", "rang it").code == 0

    assert signs(store) == []
    assert cli("review", "show", "1", "--json").document["number"] == "[erased]"


def test_the_list_can_be_cut_to_the_oldest_and_to_what_is_new(cli: Cli, ask: Ask, clock: SetClock) -> None:
    ask(days=10)
    ask(number="+14155552672", days=1)
    since = f"{clock.now() - timedelta(days=2):%Y-%m-%d}"

    def ids(*words: str) -> list[int]:
        return [item["id"] for item in cli("review", "list", "--json", *words).document["items"]]

    assert (ids(), ids("--limit", "1"), ids("--since", since)) == ([1, 2], [1], [2])
    assert cli("review", "list", "--limit", "0").code == 2
    assert cli("review", "list", "--since", "yesterday").code == 2


def test_what_newer_evidence_has_answered_says_so_and_waits_for_nobody(cli: Cli, ask: Ask, store: Store) -> None:
    ask(ReviewReason.SILENT, days=2)
    now = datetime.now(UTC)
    with store.transaction() as connection:
        intake = SignalIntake(store.keyring, "", Channel.SMS, now, lambda org: org)
        intake.take_in(connection, Signal("dialler", "c1", LINE, now, Outcome.BUSY), [LINE])

    shown = cli("review", "show", "1")

    assert cli("review", "list", "--json").document == {"items": []}
    assert "Resolved as answered by ringfence" in shown.out
    assert "dialler: busy at" in shown.out
    assert cli("review", "resolve", "1", "--as", "answered", "--note", "x").code == 2


@pytest.mark.usefixtures("settings")
def test_the_next_sync_writes_what_a_person_has_decided_and_by_whom(cli: Cli, ask: Ask, sandbox: Sandbox) -> None:
    assert cli("sync", "hubspot", "--json").code == 0
    contacts = sandbox.hubspot.contacts
    id_ = next(id_ for id_, each in contacts.items() if each.get("rf_phone_status") == "valid")
    ask(number=contacts[id_]["rf_phone_e164"])

    assert cli("review", "resolve", "1", "--as", "dead", "--note", "rang it").code == 0
    assert cli("sync", "hubspot", "--json").code == 0

    assert contacts[id_]["rf_phone_status"] == "disconnected"
    author = cli("review", "show", "1", "--json").document["resolved"]["by"]
    assert author in contacts[id_]["rf_phone_reason"]
