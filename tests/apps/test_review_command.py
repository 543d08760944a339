"""``ringfence review``: what waits for a decision, listed and resolved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from ringfence.core.model.blocks import EVERY_WAY, Channel
from ringfence.core.model.signals import OptOutWord, Outcome, Signal
from ringfence.core.ports.crm import Org
from ringfence.core.state.cursors import register_org
from ringfence.core.state.holdings import Holding, Holdings
from ringfence.core.state.opt_out_ledger import OptOutLedger
from ringfence.core.state.store import open_store
from ringfence.core.suppression.signals import SignalIntake
from testkit.clock import SetClock

from .conftest import Cli

ORG = Org("hubspot", "1", "One", production=False)
NUMBERS = {"101": "+14155552671", "102": "+14155552672"}

LINE = "+14155552671"

Clear = Callable[[], None]


@pytest.fixture
def clear(cli: Cli, clock: SetClock) -> Clear:
    """Clear the flags of two people by hand, under a mapping that keeps them up; they went up again if they were."""

    def call() -> None:
        store = open_store("sqlite:///ringfence.db", None)
        ledger = OptOutLedger(store, register_org(store, ORG), "r1", clock)
        for flagged in (True, False):
            held = [Holding("contacts", id_, (number,), flagged=flagged) for id_, number in NUMBERS.items()]
            ledger.record([each._replace(ratchet=True, up=EVERY_WAY) for each in held])
        store.close()

    return call


def test_what_waits_is_listed_with_its_records_and_masked_numbers(cli: Cli, clear: Clear) -> None:
    assert cli("review", "list", "--json").document == {"items": []}
    clear()

    first, _ = cli("review", "list", "--json").document["items"]
    shown = cli("review", "list")

    assert (first["number"], first["reason"]) == ("+1415***2671", "flag_cleared")
    assert first["deadline"] > first["since"]
    assert first["records"] == [{"crm": "hubspot", "object": "contacts", "id": "101"}]
    assert first["since"].endswith("Z")
    assert first["evidence"]
    assert "hubspot:contacts:102" in shown.out
    assert "5552671" not in shown.out
    assert cli("review", "list", "--reason", "suspect", "--json").document == {"items": []}


def test_a_decision_that_keeps_the_opt_out_ends_the_waiting_and_is_on_the_audit_log(cli: Cli, clear: Clear) -> None:
    clear()
    first, second = (str(item["id"]) for item in cli("review", "list", "--json").document["items"])

    done = cli("review", "resolve", first, "--as", "opted_out", "--note", "called back", "--json")
    again = cli("review", "resolve", first, "--as", "opted_out", "--note", "called back", "--json")

    assert (done.code, done.document) == (0, {"resolved": 1})
    assert (again.code, again.document) == (0, {"resolved": 0})
    assert [str(item["id"]) for item in cli("review", "list", "--json").document["items"]] == [second]
    entry = cli("audit", "list", "--json").document["entries"][-1]
    assert (entry["action"], entry["reason"]) == ("resolve", "called back")
    assert "+1415***2671" in entry["subject"]


def test_all_of_one_reason_are_resolved_at_once(cli: Cli, clear: Clear) -> None:
    clear()

    done = cli("review", "resolve", "--reason", "flag_cleared", "--as", "dismiss", "--note", "import", "--json")

    assert done.document == {"resolved": 2}
    assert cli("review", "list", "--json").document == {"items": []}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("999", "--as", "dismiss"), "No item 999 is there"),
        (("1", "--as", "live"), "cannot be resolved as live"),
        (("--as", "dismiss"), "not clear which items"),
        (("1", "--reason", "flag_cleared", "--as", "dismiss"), "not clear which items"),
        (("1", "--as", "perhaps"), "perhaps"),
        (("one", "--as", "dismiss"), "ID..."),
    ],
)
def test_what_cannot_be_meant_changes_nothing(cli: Cli, clear: Clear, words: tuple[str, ...], said: str) -> None:
    clear()

    result = cli("review", "resolve", *words, "--note", "why")

    assert result.code == 2
    assert said in result.out + result.err
    assert len(cli("review", "list", "--json").document["items"]) == 2


def test_a_decision_needs_a_note_and_stays(cli: Cli, clear: Clear) -> None:
    clear()
    assert cli("review", "resolve", "1", "--as", "dismiss").code == 2
    assert cli("review", "resolve", "1", "--as", "dismiss", "--note", " ").code == 2
    cli("review", "resolve", "1", "--as", "dismiss", "--note", "x")

    assert cli("review", "resolve", "1", "--as", "opted_out", "--note", "x").code == 2


def test_what_could_not_be_lifted_goes_on_waiting(cli: Cli, clear: Clear) -> None:
    clear()
    first = str(cli("review", "list", "--json").document["items"][0]["id"])

    done = cli("review", "resolve", first, "--as", "lift", "--note", "no account is configured here")

    assert done.code == 2
    assert "still kept silent" in done.err
    assert len(cli("review", "list", "--json").document["items"]) == 2


@pytest.fixture
def told(cli: Cli, clock: SetClock) -> Callable[..., None]:
    """Let a vendor tell of a number that two contacts hold: a message, or how a call ended."""
    del cli  # whose folder it is

    def call(*held: str, **signal: Any) -> None:
        store = open_store("sqlite:///ringfence.db", None)
        org_id = register_org(store, ORG, "")
        intake = SignalIntake(store.keyring, "", Channel.SMS, clock.now(), lambda org: org.partition(":")[0])
        with store.transaction() as connection:
            records = [Holding("contacts", each, (LINE,), flagged=False) for each in held]
            Holdings(store.keyring, org_id).replace(connection, records)
            new = Signal("twilio", f"SM{signal}", LINE, clock.now(), channel=Channel.SMS)._replace(**signal)
            intake.take_in(connection, new, [LINE])
        store.close()

    return call


def entries(cli: Cli) -> list[tuple[str, str, str]]:
    listed = cli("suppress", "list", "--json").document["entries"]
    return [(each["kind"], each["channel"], each["source"]) for each in listed]


def test_what_may_be_an_opt_out_is_shown_with_its_deadline_and_all_records(cli: Cli, told: Callable[..., None]) -> None:
    told("101", "102", word=OptOutWord.NEAR_STOP, said="please stop")
    (item,) = cli("review", "list", "--reason", "near_opt_out", "--json").document["items"]
    assert (item["number"], item["channel"]) == ("+1415***2671", "sms")
    assert item["deadline"] > item["since"]
    assert [each["id"] for each in item["records"]] == ["101", "102"]
    assert "please stop" in item["evidence"]
    assert "hubspot:contacts:101, hubspot:contacts:102" in " ".join(cli("review", "list").out.split())


@pytest.mark.parametrize(
    ("decision", "kept"),
    [
        ("opted_out", [("opted_out", "sms", "person")]),
        ("dismiss", []),
        ("wrong_person", [("wrong_person", "all", "person")] * 2),
    ],
)
def test_a_near_opt_out_is_resolved_as_a_person_decides(
    cli: Cli, told: Callable[..., None], decision: str, kept: list[tuple[str, str, str]]
) -> None:
    told("101", "102", word=OptOutWord.NEAR_STOP, said="please stop")
    assert cli("review", "resolve", "1", "--as", "lift", "--note", "no").code == 2

    done = cli("review", "resolve", "1", "--as", decision, "--note", "read it", "--json")
    assert done.document == {"resolved": 1}
    assert entries(cli) == kept
    assert cli("review", "list", "--json").document == {"items": []}
    assert cli("suppress", "check", LINE).code == (1 if decision == "opted_out" else 0)
    audit = [each["action"] for each in cli("audit", "list", "--json").document["entries"]]
    assert audit == ["resolve", *["add"] * len(kept)]


def test_a_wrong_number_that_nobody_holds_is_nobody_elses(cli: Cli, told: Callable[..., None]) -> None:
    told(outcome=Outcome.WRONG_NUMBER)
    refused = cli("review", "resolve", "1", "--as", "wrong_person", "--note", "so they said")
    assert refused.code == 2
    assert "No record is known to hold the number" in refused.err
    assert cli("review", "resolve", "1", "--as", "dismiss", "--note", "old").code == 0


def test_an_erased_number_can_still_be_decided_about(cli: Cli, told: Callable[..., None]) -> None:
    told("101", word=OptOutWord.NEAR_STOP, said="please stop")
    exported = cli("state", "export", LINE, "--json").document
    assert [(each["word"], each["said"]) for each in exported["evidence"]] == [("near_stop", "please stop")]
    erased = cli("state", "erase", LINE, "--reason", "asked for", "--yes", "--json").document["erased"]
    assert erased["evidence"] == 1

    assert cli("review", "resolve", "1", "--as", "opted_out", "--note", "it was one").code == 0
    assert cli("suppress", "check", LINE).code == 1
    assert cli("state", "export", LINE, "--json").document["evidence"] == []


def test_an_opt_out_counts_from_the_message_and_not_from_when_it_was_read(
    cli: Cli, told: Callable[..., None], clock: SetClock
) -> None:
    asked = clock.now() - timedelta(days=3)
    told("101", word=OptOutWord.NEAR_STOP, said="please stop", occurred_at=asked)
    (item,) = cli("review", "list", "--json").document["items"]

    assert cli("review", "resolve", "1", "--as", "opted_out", "--note", "read it").code == 0
    (entry,) = cli("suppress", "list", "--json").document["entries"]
    assert {datetime.fromisoformat(each["since"]) for each in (entry, item)} == {asked}
