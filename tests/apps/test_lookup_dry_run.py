"""Dry runs of a number and of a file: what lookups would cost, with nothing bought, kept or written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.sandbox.server import Sandbox

from .conftest import Cli

PLANNED = {
    "lookups_planned",
    "cost_planned",
    "lookup_cache_hits",
    "lookup_duplicates",
    "time_planned_s",
}
NUMBERS = [f"+1415555{last:04}" for last in range(2671, 2681)]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(contacts=60, lookups=True) as running:
        running.hubspot.searches.limit = 1000
        running.twilio.window.limit = 10_000
        yield running


@pytest.fixture(autouse=True)
def _settings(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, '["twilio"]')
    monkeypatch.setenv("RINGFENCE_TWILIO__PACE", "2")


def use(monkeypatch: pytest.MonkeyPatch, providers: str, **caps: str) -> None:
    """Set the providers and the caps."""
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", providers)
    for name, value in caps.items():
        monkeypatch.setenv(f"RINGFENCE_LOOKUP__{name}", value)


def write_file(*numbers: str) -> None:
    """Write a file with these phones."""
    Path("contacts.csv").write_text("name,phone\n" + "".join(f"x,{number}\n" for number in numbers), "utf-8")


def test_a_number_costs_one_lookup_and_leaves_nothing_behind(cli: Cli, sandbox: Sandbox) -> None:
    result = cli("lookup", NUMBERS[0], "--dry-run", "--json")

    assert result.code == 0
    assert result.document.keys() >= PLANNED
    assert {name: result.document[name] for name in PLANNED} == {
        "lookups_planned": 1,
        "cost_planned": 0.017,
        "lookup_cache_hits": 0,
        "lookup_duplicates": 0,
        "time_planned_s": 0.5,
    }
    assert list(Path().iterdir()) == []
    assert not sandbox.twilio.billed


def test_what_is_known_or_cannot_exist_or_opted_out_would_not_be_bought(cli: Cli, sandbox: Sandbox) -> None:
    assert cli("lookup", NUMBERS[0], "--json").code == 0
    assert cli("suppress", "add", NUMBERS[1], "--reason", "asked").code == 0
    runs = cli("runs", "list", "--json").out

    known, silent, invalid = (
        cli("lookup", number, "--dry-run", "--json").document for number in (NUMBERS[0], NUMBERS[1], "+1 200 000 0000")
    )

    assert (known["lookups_planned"], known["lookup_cache_hits"]) == (0, 1)
    assert known["saved"] == {"lookups": 1, "cost": 0.017}
    assert silent["lookups_planned"] == invalid["lookups_planned"] == 0
    assert cli("runs", "list", "--json").out == runs
    assert sandbox.twilio.billed.total() == 1


def test_a_file_is_counted_as_it_would_be_bought_and_not_written(
    cli: Cli, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_file(*NUMBERS, *NUMBERS[:4], "n/a")
    assert cli("lookup", NUMBERS[0], "--json").code == 0

    planned = cli("screen", "contacts.csv", "--lookups", "--dry-run", "--json").document
    free = cli("screen", "contacts.csv", "--dry-run", "--json").document

    assert (planned["lookups_planned"], planned["lookup_cache_hits"], planned["lookup_duplicates"]) == (9, 1, 4)
    assert (planned["rows"], planned["cost_planned"], planned["time_planned_s"]) == (15, 0.153, 4.5)
    assert planned["saved"] == {"lookups": 5, "cost": 0.085}
    assert free["lookups_planned"] == 0
    assert not list(Path().glob("*.screened.*"))
    assert sandbox.twilio.billed.total() == 1

    monkeypatch.setenv("RINGFENCE_TWILIO__PACE", "500")
    bought = cli("screen", "contacts.csv", "--lookups", "--json").document
    assert bought["lookups"] == sandbox.twilio.billed.total() - 1 == 9


def test_the_time_of_several_providers_is_the_slowest_one_s(
    cli: Cli, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, '["infobip","twilio","itg"]')
    monkeypatch.setenv("RINGFENCE_INFOBIP__PACE", "0.1")  # of calls, each of which takes all ten
    write_file(*NUMBERS)

    told = cli("screen", "contacts.csv", "--lookups", "--dry-run", "--json").document
    text = cli("screen", "contacts.csv", "--lookups", "--dry-run").out

    assert (told["time_planned_s"], told["answers_later"], told["unpaced"]) == (10.0, ["itg"], [])
    assert (told["cost_planned"], told["unpriced"]) == (None, ["infobip", "itg"])
    assert "infobip: price not known: set RINGFENCE_INFOBIP__PRICE" in text
    assert "Answers of itg come later" in text
    assert "about 10 seconds" in text
    assert not sandbox.lookups.billed


def test_a_cap_that_would_end_the_buying_is_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, '["twilio"]', MAX_COST_PER_RUN="0.06")
    write_file(*NUMBERS)

    told = cli("screen", "contacts.csv", "--lookups", "--dry-run", "--json").document

    assert told["lookups_planned"] == 3
    assert "RINGFENCE_LOOKUP__MAX_COST_PER_RUN" in told["stopped"]


@pytest.mark.parametrize(
    "command",
    [
        ("lookup", NUMBERS[0]),
        ("screen", "contacts.csv", "--lookups"),
        pytest.param(("sync", "hubspot", "--yes"), marks=pytest.mark.slow),
    ],
)
def test_money_is_not_capped_by_a_price_that_nobody_knows(
    cli: Cli, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    use(monkeypatch, '["infobip"]', MAX_COST_PER_DAY="5")
    write_file(*NUMBERS)

    refused = cli(*command, "--json")

    assert refused.code == 2
    assert refused.document["code"] == "price_not_known"
    assert "RINGFENCE_INFOBIP__PRICE" in refused.document["remedy"]
    assert not sandbox.lookups.billed

    monkeypatch.setenv("RINGFENCE_INFOBIP__PRICE", "0")
    assert cli(*command, "--json").code == 0
    assert sandbox.lookups.billed


def test_a_price_that_is_not_known_is_not_shown_as_nothing(cli: Any) -> None:
    prices = {each["name"]: each["price"] for each in cli("providers", "--json").document["providers"]}

    assert [prices[name] for name in ("telnyx", "trestle", "abstract", "realphonevalidation")] == [None] * 4
    assert prices["twilio"] == 0.017
    assert "not known" in cli("providers").out


@pytest.mark.slow
def test_a_sync_says_what_it_saved_and_the_history_keeps_it(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, '["twilio"]', MAX_PER_DAY="10000")
    monkeypatch.setenv("RINGFENCE_TWILIO__PACE", "500")
    planned = cli("sync", "hubspot", "--dry-run", "--json").document
    done = cli("sync", "hubspot", "--yes", "--json").document

    assert done["lookups"] == planned["lookups_planned"] > 0
    assert planned["time_planned_s"] == pytest.approx(done["lookups"] / 500, abs=0.05)
    assert done["lookup_duplicates"] == planned["lookup_duplicates"]

    again = cli("sync", "hubspot", "--rescreen", "--yes", "--json").document
    saved = again["saved"]["lookups"]
    assert saved == again["lookup_cache_hits"] + again["lookup_duplicates"] >= done["lookups"] > 0
    shown = cli("runs", "show", again["run_id"], "--json").document
    assert shown["summary"]["spending"] == {
        "lookups": again["lookups"],
        "spent": pytest.approx(again["lookups"] * 0.017),
        "saved_lookups": saved,
        "saved": pytest.approx(saved * 0.017),
        "currency": "USD",
    }
    text = cli("runs", "show", again["run_id"]).out
    assert f"saved by answers on record and duplicates: {saved:,}" in " ".join(text.split())
