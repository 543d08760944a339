"""A wrong person from the command line to the slot of a CRM, and back."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.sandbox.server import Sandbox

from .conftest import Cli

NUMBER = "+14155552671"
RECORD = "hubspot:contacts:12"


def lift(cli: Cli, *words: str) -> Any:
    return cli("suppress", "lift", NUMBER, "--record", RECORD, "--reason", "it is hers", *words, "--json").document


def test_what_was_said_of_a_record_is_taken_back_alone(cli: Cli) -> None:
    cli("suppress", "add", NUMBER, "--reason", "asked us")
    cli("suppress", "add", NUMBER, "--kind", "wrong_person", "--record", RECORD, "--reason", "not him")
    other = "hubspot:contacts:13"
    cli("suppress", "add", NUMBER, "--kind", "wrong_person", "--record", other, "--reason", "not him")

    lifted = [lift(cli, *words)["lifted"] for words in (["--dry-run"], [], [])]

    assert lifted == [1, 1, 0]
    left = cli("suppress", "list", "--json").document["entries"]
    assert [each.get("record") for each in left] == [other, None]
    assert [each["action"] for each in cli("audit", "list", "--json").document["entries"]] == ["lift", *["add"] * 3]


@pytest.mark.slow
@pytest.mark.usefixtures("settings")
def test_the_contact_says_so_and_its_namesakes_do_not(cli: Cli, sandbox: Sandbox) -> None:
    first, second, *_ = sandbox.hubspot.contacts
    for each in (first, second):
        sandbox.hubspot.update_as_user(each, phone=NUMBER, mobilephone="")
    record = f"hubspot:contacts:{first}"
    assert cli("sync", "hubspot", "--yes").code == 0
    cli("suppress", "add", NUMBER, "--kind", "wrong_person", "--record", record, "--reason", "not him")

    def said() -> list[str]:
        assert cli("sync", "hubspot").code == 0
        held = [sandbox.hubspot.contacts[each] for each in (first, second)]
        return [each["rf_phone_status"] for each in held]

    told = said()
    assert told[0] == "wrong_person"
    assert told[1] != "wrong_person"
    assert cli("sync", "hubspot", "--json").document["objects"]["contacts"]["written"] == 0
    cli("suppress", "lift", NUMBER, "--record", record, "--reason", "it is his")
    assert said()[0] == told[1]
