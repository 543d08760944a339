"""``ringfence export quiet``: whom to ask anew, and by which other way."""

from __future__ import annotations

import csv
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

import pytest

from ringfence.core.model.blocks import Channel
from ringfence.core.model.signals import Outcome, Signal
from ringfence.core.state.store import open_store
from ringfence.core.suppression.signals import SignalIntake
from ringfence.sandbox.server import Sandbox

from .conftest import Cli


@pytest.fixture
def people(cli: Cli, sandbox: Sandbox, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Sync a portal whose e-mail the mapping reads, and return the ids of four contacts with numbers of their own."""
    del settings  # in the environment
    built_in = resources.files("ringfence.mappings").joinpath("hubspot.yaml").read_text("utf-8")
    folder = Path("mappings")
    folder.mkdir()
    email = "    email: {field: email, opt_out: hs_email_optout}\n    phones:"
    (folder / "hubspot.yaml").write_text(built_in.replace("    phones:", email))
    monkeypatch.setenv("RINGFENCE_MAPPINGS", str(folder))

    ids = [id_ for id_, each in sandbox.hubspot.contacts.items() if not each.get("rf_do_not_call")][:4]
    for place, id_ in enumerate(ids):
        number = f"+1415555026{place}"
        sandbox.hubspot.update_as_user(id_, phone=number, mobilephone="", email=f"a{place}@example.com")
    sandbox.hubspot.contacts[ids[1]]["hs_email_optout"] = "true"  # HubSpot sets it, and no user can
    assert cli("sync", "hubspot", "--json").code == 0
    return ids


def hear(place: int, outcome: Outcome, days: float) -> None:
    now, number = datetime.now(UTC), f"+1415555026{place}"
    with closing(open_store("sqlite:///ringfence.db", None)) as store, store.transaction() as connection:
        intake = SignalIntake(store.keyring, "", Channel.SMS, now, lambda org: org)
        signal = Signal("dialler", f"{number}-{days}", number, now - timedelta(days=days), outcome)
        intake.take_in(connection, signal, [number])


def read(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_quiet_numbers_come_with_their_segment_and_another_way_to_ask(cli: Cli, people: list[str]) -> None:
    hear(0, Outcome.CONNECTED, 200)
    hear(1, Outcome.CONNECTED, 700)
    hear(2, Outcome.CONNECTED, 10)
    hear(3, Outcome.CONNECTED, 700)
    assert cli("suppress", "add", "+14155550263", "--reason", "asked").code == 0

    done = cli("export", "quiet", "hubspot", "-o", "quiet.csv", "--json")

    assert done.code == 0
    rows = read("quiet.csv")
    assert [(row["id"], row["segment"], row["suggestion"]) for row in rows] == [
        (people[0], "quiet", "email"),
        (people[1], "lapsed", ""),
    ]
    heard = datetime.fromisoformat(rows[0]["last_heard"])
    assert abs(datetime.now(UTC) - timedelta(days=200) - heard) < timedelta(minutes=5)
    document = done.document
    assert (document["list"], document["rows"]) == ("quiet", 2)
    assert document["left_out"]["active"] == 1
    assert document["left_out"]["suppressed"] >= 1
    assert document["left_out"]["never_contacted"] > 100


def test_the_other_lists_have_the_columns_that_they_always_had(cli: Cli, people: list[str]) -> None:
    del people

    assert cli("export", "callable", "hubspot", "-o", "callable.csv", "--json").code == 0

    columns = "crm,object,id,slot,number,status,reason,channel,last_screened"
    assert Path("callable.csv").read_text("utf-8").partition("\n")[0] == columns


@pytest.mark.usefixtures("settings")
def test_salesforce_says_who_may_be_written_to(cli: Cli, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    built_in = resources.files("ringfence.mappings").joinpath("salesforce.yaml").read_text("utf-8")
    Path("mappings").mkdir()
    email = "    email: {field: Email, opt_out: HasOptedOutOfEmail}\n    phones:"
    Path("mappings/salesforce.yaml").write_text(built_in.replace("    phones:", email))
    monkeypatch.setenv("RINGFENCE_MAPPINGS", "mappings")
    assert cli("sync", "salesforce", "--json").code == 0
    assert cli("export", "callable", "salesforce", "-o", "callable.csv").code == 0
    callable_ = {row["number"]: row["id"] for row in read("callable.csv") if row["object"] == "Contact"}
    sandbox.salesforce.update_as_user("Contact", next(iter(callable_.values())), HasOptedOutOfEmail=True)
    now = datetime.now(UTC) - timedelta(days=200)
    with closing(open_store("sqlite:///ringfence.db", None)) as store, store.transaction() as connection:
        intake = SignalIntake(store.keyring, "", Channel.SMS, datetime.now(UTC), lambda org: org)
        for number in callable_:
            intake.take_in(connection, Signal("dialler", number, number, now, Outcome.CONNECTED), [number])

    assert cli("export", "quiet", "salesforce", "-o", "quiet.csv").code == 0

    contacts = sandbox.salesforce.rows("Contact")
    rows = [row for row in read("quiet.csv") if row["object"] == "Contact"]
    assert len(rows) >= len(callable_)
    for row in rows:
        held = contacts[row["id"]]
        may = bool(held["Email"]) and not held["HasOptedOutOfEmail"]
        assert row["suggestion"] == ("email" if may else "")
    assert {row["suggestion"] for row in rows} == {"email", ""}
