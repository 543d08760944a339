"""``ringfence suppress import`` and ``lists``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from testkit.commands import Result

from .conftest import Cli

FULL = "415,5552671\n415,5552672\n415,5552673\n"
CHANGES = "415,5552671,2026-11-20,D\n415,5552674,2026-11-20,A\n"


def day(ago: int) -> str:
    return (datetime.now(UTC) - timedelta(days=ago)).date().isoformat()


@pytest.fixture
def take_in(cli: Cli) -> Any:
    def call(content: str, *words: str, ago: int = 1, name: str = "us-dnc", country: str = "US") -> Result:
        path = Path("list.txt")
        path.write_text(content, encoding="utf-8")
        fixed = ("--list", name, "--jurisdiction", country, "--as-of", day(ago))
        return cli("suppress", "import", str(path), *fixed, *words, "--json")

    return call


def test_who_is_on_a_list_is_suppressed_at_once(cli: Cli, take_in: Any) -> None:
    result = take_in(FULL + "415,5552671\nnobody\n")

    assert result.code == 0, result.err
    document = result.document
    assert (document["added"], document["removed"], document["numbers"], document["unreadable"]) == (3, 0, 3, 1)
    assert (document["list"], document["as_of"], document["expires"]) == ("us-dnc", day(1), day(1 - 31))
    checked = cli("suppress", "check", "+14155552671", "--json")
    assert checked.code == 1
    (entry,) = checked.document["entries"]
    assert (entry["kind"], entry["source"], entry["list"]) == ("dnc_registry", "registry", "us-dnc")
    assert cli("suppress", "check", "+14155552679").code == 0


def test_lists_are_shown_with_what_counts_for_them(cli: Cli, take_in: Any) -> None:
    sha = take_in(FULL).document["sha256"]

    (shown,) = cli("suppress", "lists", "--json").document["lists"]

    assert {name: shown[name] for name in ("name", "jurisdiction", "channel", "as_of", "expires", "expired")} == {
        "name": "us-dnc",
        "jurisdiction": "US",
        "channel": "all",
        "as_of": day(1),
        "expires": day(1 - 31),
        "expired": False,
    }
    assert (shown["numbers"], shown["sha256"]) == (3, sha)
    assert "@" in shown["imported_by"]
    assert cli("suppress", "list", "--json").document == {"listings": 3, "entries": []}
    (logged,) = cli("audit", "list", "--json").document["entries"]
    assert (logged["action"], "us-dnc" in logged["subject"]) == ("import", True)


def test_a_newer_file_replaces_the_list_and_changes_come_on_top(cli: Cli, take_in: Any) -> None:
    take_in(FULL, ago=3)

    changed = take_in(CHANGES, ago=2).document
    replaced = take_in("415,5552674\n415,5552675\n", ago=1).document

    assert (changed["added"], changed["removed"], changed["numbers"], changed["delta"]) == (1, 1, 3, True)
    assert (replaced["added"], replaced["removed"], replaced["numbers"]) == (1, 2, 2)
    assert cli("suppress", "check", "+14155552672").code == 0
    assert cli("suppress", "check", "+14155552675").code == 1


def test_the_same_file_again_changes_nothing(take_in: Any) -> None:
    take_in(FULL)

    again = take_in(FULL).document

    assert (again["unchanged"], again["added"], again["numbers"]) == (True, 0, 3)


def test_a_dry_run_shows_the_file_masked_and_changes_nothing(cli: Cli, take_in: Any) -> None:
    result = take_in("name,phone\nAda,415-555-2671\nBob,415-555-2672\n", "--dry-run")

    assert result.document["added"] == 2
    assert result.document["preview"]["column"] == "phone"
    assert "2671" not in result.out.replace("***2671", "") + result.err
    assert cli("suppress", "lists", "--json").document == {"lists": []}
    assert [path.name for path in Path().iterdir()] == ["list.txt"]


@pytest.mark.parametrize(
    ("content", "words", "options", "message"),
    [
        (FULL, (), {"ago": -2}, "yet to come"),
        (FULL, (), {"country": "Nowhere"}, "no country"),
        (FULL, ("--as-of", "soon"), {}, "no date"),
        (CHANGES, (), {}, "no list us-dnc to change"),
        (FULL, ("--delta",), {}, "no list us-dnc to change"),
        ("one\ntwo\n415,5552671\n", (), {}, "hold no number"),
        (FULL, ("--column", "x"), {}, "no column"),
        ("\n\n", ("--format", "numbers"), {}, "holds no number"),
        (FULL, (), {"name": " "}, "name of a list"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    cli: Cli, take_in: Any, content: str, words: tuple[str, ...], options: dict[str, Any], message: str
) -> None:
    result = take_in(content, *words, **options)

    assert result.code == 2
    assert message in result.err
    assert cli("suppress", "lists", "--json").document == {"lists": []}


def test_an_older_file_is_refused(take_in: Any) -> None:
    take_in(FULL, ago=3)

    result = take_in("415,5552679\n", ago=5)

    assert result.code == 2
    assert "older" in result.err


def test_a_file_that_was_cut_off_is_refused_unless_it_is_meant(take_in: Any) -> None:
    many = "".join(f"415,{number}\n" for number in range(2_000_000, 2_001_000))
    take_in(many, ago=2)

    refused = take_in(FULL)
    meant = take_in(FULL, "--accept-mass-change")

    assert (refused.code, refused.document["error"]) == (4, "GuardError")
    assert (meant.code, meant.document["numbers"]) == (0, 3)


def test_a_list_is_taken_away_with_a_reason(cli: Cli, take_in: Any) -> None:
    take_in(FULL)

    unexplained = cli("suppress", "lists", "--remove", "us-dnc")
    gone = cli("suppress", "lists", "--remove", "us-dnc", "--reason", "licence ended", "--json")

    assert unexplained.code == 2
    assert gone.document == {"lists": []}
    assert cli("suppress", "check", "+14155552671").code == 0
    assert cli("suppress", "lists", "--remove", "us-dnc", "--reason", "again").code == 2


def test_an_expired_list_stops_the_question_of_its_country_unless_allowed(cli: Cli, take_in: Any) -> None:
    taken = take_in(FULL, ago=40)

    unknown = cli("suppress", "check", "+14155552679", "--json")
    allowed = cli("suppress", "check", "+14155552679", "--allow-expired-lists", "--json")

    assert (taken.code, cli("suppress", "lists", "--json").document["lists"][0]["expired"]) == (0, True)
    assert unknown.code == 4
    assert "us-dnc" in unknown.err
    assert (allowed.code, allowed.document["expired_lists"]) == (0, ["us-dnc"])
    assert cli("suppress", "check", "+14155552671").code == 1  # it goes on silencing
    assert cli("suppress", "check", "+442079460000").code == 0  # of another country
