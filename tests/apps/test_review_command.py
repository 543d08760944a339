"""``ringfence review``: what waits for a decision, listed and resolved."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ringfence.core.model.blocks import EVERY_WAY
from ringfence.core.ports.crm import Org
from ringfence.core.state.cursors import register_org
from ringfence.core.state.holdings import Holding
from ringfence.core.state.opt_out_ledger import OptOutLedger
from ringfence.core.state.store import open_store
from testkit.clock import SetClock

from .conftest import Cli

ORG = Org("hubspot", "1", "One", production=False)
NUMBERS = {"101": "+14155552671", "102": "+14155552672"}

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
