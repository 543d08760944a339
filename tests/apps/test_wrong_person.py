"""A wrong person from the command line to the slot of a CRM, and back."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from ringfence.core.model.blocks import Channel, RecordName
from ringfence.core.model.signals import Outcome, Signal
from ringfence.core.state.store import open_store
from ringfence.core.suppression.signals import Became, SignalIntake
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


@pytest.mark.usefixtures("settings")
def test_a_call_to_the_wrong_person_leaves_the_number_good_where_it_belongs(cli: Cli, sandbox: Sandbox) -> None:
    wrong, right, *_ = sandbox.hubspot.contacts
    for each in (wrong, right):
        sandbox.hubspot.update_as_user(each, phone=NUMBER, mobilephone="")
    assert cli("sync", "hubspot", "--json").code == 0
    now = datetime.now(UTC)
    with closing(open_store("sqlite:///ringfence.db", None)) as store, store.transaction() as connection:
        record = RecordName("hubspot", "contacts", wrong)
        call = Signal("dialler", "c1", NUMBER, now, Outcome.WRONG_NUMBER, channel=Channel.VOICE, record=record)
        intake = SignalIntake(store.keyring, "", Channel.SMS, now, lambda org: org.partition(":")[0])
        assert intake.take_in(connection, call, [NUMBER]) is Became.WRONG_PERSON

    assert cli("sync", "hubspot", "--json").code == 0

    told = [sandbox.hubspot.contacts[each]["rf_phone_status"] for each in (wrong, right)]
    assert told == ["wrong_person", "active"]
