"""``ringfence suppress add``, ``check`` of a number and ``list``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ringfence.apps.config_files import find_clocks

from .conftest import Cli

NUMBER, OTHER = "+14155552671", "+14155552672"


@pytest.fixture
def add(cli: Cli) -> Any:
    def call(*words: str) -> Any:
        result = cli("suppress", "add", NUMBER, "--reason", "asked on the phone", *words, "--json")
        assert result.code == 0, result.err
        return result.document

    return call


def test_a_number_that_was_added_may_not_be_contacted(cli: Cli, add: Any) -> None:
    before = cli("suppress", "check", NUMBER, "--json")

    entry = add()["entry"]

    after = cli("suppress", "check", "(415) 555-2671", "--region", "US", "--json")
    assert (before.code, before.document["suppressed"], before.document["entries"]) == (0, False, [])
    assert (entry["number"], entry["kind"], entry["channel"]) == ("+1415***2671", "dnc_internal", "all")
    assert (entry["source"], entry["reason"], entry["expires"]) == ("person", "asked on the phone", None)
    assert "@" in entry["author"]
    assert (after.code, after.document["suppressed"], after.document["channels"]) == (1, True, ["all"])
    asked = datetime.fromisoformat(entry["since"])
    assert after.document["entries"][0] == {
        "deadline": str(find_clocks(None).request_deadline("US", asked)),
        "kind": "dnc_internal",
        "channel": "all",
        "source": "person",
        "since": entry["since"],
        "expires": None,
    }
    assert cli("suppress", "check", OTHER).code == 0


def test_a_question_makes_no_state(cli: Cli) -> None:
    assert cli("suppress", "check", NUMBER).code == 0
    assert cli("suppress", "list", "--json").document == {"listings": 0, "entries": []}

    assert not list(Path().iterdir())


def test_the_same_entry_is_made_once(cli: Cli, add: Any) -> None:
    first = add()

    again, other = add(), add("--kind", "complaint")

    assert (first["new"], again["new"], other["new"]) == (True, False, True)
    assert again["entry"] == first["entry"]
    listed = cli("suppress", "list", "--json").document["entries"]
    assert [each["kind"] for each in listed] == ["complaint", "dnc_internal"]
    assert len(cli("suppress", "list", "--limit", "1", "--json").document["entries"]) == 1
    assert [each["kind"] for each in cli("suppress", "list", "--kind", "complaint", "--json").document["entries"]] == [
        "complaint"
    ]
    assert [each["action"] for each in cli("audit", "list", "--json").document["entries"]] == ["add", "add"]


def test_a_block_of_one_channel_leaves_the_others(cli: Cli, add: Any) -> None:
    add("--channel", "sms")

    assert cli("suppress", "check", NUMBER, "--channel", "sms").code == 1
    assert cli("suppress", "check", NUMBER).code == 1
    voice = cli("suppress", "check", NUMBER, "--channel", "voice", "--json")
    assert (voice.code, voice.document["suppressed"], voice.document["channels"]) == (0, False, ["sms"])


def test_an_entry_ends_with_the_day_that_it_names(cli: Cli, add: Any) -> None:
    assert add("--expires", "2099-12-31")["entry"]["expires"] == "2099-12-31T23:59:59+00:00"


def test_a_wrong_person_is_about_one_record(cli: Cli, add: Any) -> None:
    entry = add("--kind", "wrong_person", "--record", "salesforce:Contact:003000000000abC")["entry"]

    assert entry["record"] == "salesforce:Contact:003000000000abCAAQ"
    assert cli("suppress", "check", NUMBER).code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "room 12", "--reason", "x"], "cannot be read as one number"),
        (["add", "4155552671", "--reason", "x"], "--region"),
        (["add", f"{NUMBER} or {OTHER}", "--reason", "x"], "one number"),
        (["add", NUMBER], "--reason"),
        (["add", NUMBER, "--reason", " "], "reason is empty"),
        (["add", NUMBER, "--reason", "x", "--kind", "grudge"], "dnc_internal"),
        (["add", NUMBER, "--reason", "x", "--channel", "fax"], "voice"),
        (["add", NUMBER, "--reason", "x", "--region", "Narnia"], "no country"),
        (["add", NUMBER, "--reason", "x", "--expires", "2020-01-01"], "is over"),
        (["add", NUMBER, "--reason", "x", "--expires", "tomorrow"], "no day"),
        (["add", NUMBER, "--reason", "x", "--expires", "2099-01-01T10:00:00"], "time zone"),
        (["add", NUMBER, "--reason", "x", "--kind", "wrong_person"], "CRM:OBJECT:ID"),
        (["add", NUMBER, "--reason", "x", "--record", "hubspot:contacts:12"], "wrong_person"),
        (["add", NUMBER, "--reason", "x", "--kind", "wrong_person", "--record", "hubspot:12"], "names no record"),
        (["add", NUMBER, "--reason", "x", "--kind", "wrong_person", "--record", "hubspot:contact:12"], "contacts"),
        (["add", NUMBER, "--reason", "x", "--kind", "wrong_person", "--record", "hubspot:contacts:x"], "no id"),
        (["check", "4155552671"], "--region"),
        (["check", "nobody"], "cannot be read"),
        (["list", "--limit", "0"], "1 or more"),
    ],
)
def test_what_cannot_be_meant_is_refused(cli: Cli, words: list[str], said: str) -> None:
    result = cli("suppress", *words)

    assert result.code == 2
    assert said in result.err
    assert NUMBER not in result.out + result.err
    assert not Path("ringfence.db").exists()


def test_a_file_is_marked_row_by_row(cli: Cli, add: Any) -> None:
    add()
    Path("in.csv").write_text(f"name,phone\nAnn,{NUMBER}\nBob,{OTHER}\nCid,room 12\nDee,\n", encoding="utf-8")

    result = cli("suppress", "check", "in.csv", "-o", "out.csv", "--json")
    again = cli("suppress", "check", "in.csv", "-o", "out.csv")

    assert (result.code, result.document) == (1, {"rows": 4, "suppressed": 1, "unreadable": 1})
    assert Path("out.csv").read_text(encoding="utf-8").splitlines() == [
        "name,phone,rf_suppressed,rf_suppressed_by",
        f'Ann,{NUMBER},yes,"person: dnc_internal, all"',
        f"Bob,{OTHER},no,",
        "Cid,room 12,unreadable,",
        "Dee,,no,",
    ]
    assert again.code == 2
    assert cli("suppress", "check", "in.csv").code == 2
