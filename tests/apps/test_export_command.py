"""``ringfence export``: a file that is whole or not there, for its owner alone, of what may be dialled right now."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from ringfence.core.runs.export import AccountExport
from ringfence.core.runs.export_spool import Spool
from ringfence.sandbox.server import Sandbox

COLUMNS = ["crm", "object", "id", "slot", "number", "status", "reason", "channel", "last_screened"]


@pytest.fixture
def sandbox() -> Any:
    with Sandbox(contacts=200) as running:
        running.hubspot.searches.limit = 1000
        yield running


@pytest.fixture(autouse=True)
def _settings(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", "[]")


@pytest.fixture
def _synced(cli: Any) -> None:
    assert cli("sync", "--all", "--json").code == 0


def rows(name: str) -> list[dict[str, str]]:
    with Path(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.usefixtures("_synced")
def test_every_filled_slot_of_both_crms_is_on_one_list_or_left_out_by_a_reason(cli: Any) -> None:
    done = {name: cli("export", name, "-o", f"{name}.csv", "--json") for name in ("callable", "invalid", "suppressed")}

    documents = [result.document for result in done.values()]
    assert [result.code for result in done.values()] == [0, 0, 0]
    assert [each["rows"] for each in documents] == [len(rows(f"{name}.csv")) for name in done]
    assert len({each["rows"] + sum(each["left_out"].values()) for each in documents}) == 1
    assert documents[0]["left_out"]["suppressed"] == documents[2]["rows"] > 0
    assert documents[0]["crm"] is None
    logged = cli("audit", "list", "--json").document["entries"]
    assert [(each["action"], each["subject"].partition(",")[0]) for each in logged] == [
        ("export", f"{name}.csv") for name in reversed(done)
    ]
    assert list(rows("callable.csv")[0]) == COLUMNS
    assert {row["crm"] for row in rows("callable.csv")} == {"hubspot", "salesforce"}
    assert all(row["number"].startswith("+") for row in rows("callable.csv"))
    assert Path("callable.csv").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("_synced")
def test_a_workbook_holds_numbers_as_texts(cli: Any) -> None:
    document = cli("export", "callable", "hubspot", "-o", "today.xlsx", "--json").document

    sheet = load_workbook("today.xlsx").active
    assert sheet is not None
    cells = list(sheet.values)
    assert list(cells[0]) == COLUMNS
    assert len(cells) == document["rows"] + 1
    assert str(cells[1][4]).startswith("+")
    assert document["crm"] == "hubspot"


@pytest.mark.usefixtures("_synced")
def test_pseudonyms_join_the_lists_of_both_crms_and_hold_no_digit_of_a_number(cli: Any) -> None:
    cli("export", "suppressed", "-o", "plain.csv")
    for crm in ("salesforce", "hubspot"):
        cli("export", "suppressed", crm, "-o", f"{crm}.csv", "--pseudonymise")

    hidden = [*rows("hubspot.csv"), *rows("salesforce.csv")]
    plain = rows("plain.csv")
    assert len(hidden) == len(plain)
    pairs = {(old["number"], new["number"]) for old, new in zip(plain, hidden, strict=True)}
    assert len(pairs) == len({old for old, _ in pairs}) == len({new for _, new in pairs})
    assert {new.count("-") for _, new in pairs} == {2}
    assert not any(letter.isdigit() for row in hidden for letter in row["number"] + row["reason"])


def test_a_file_that_is_there_stays_unless_it_may_go(cli: Any) -> None:
    Path("mine.csv").write_text("mine", encoding="utf-8")

    refused = cli("export", "callable", "hubspot", "-o", "mine.csv", "--json")

    assert (refused.code, Path("mine.csv").read_text(encoding="utf-8")) == (2, "mine")
    assert cli("export", "callable", "hubspot", "-o", "mine.csv", "--force", "--json").code == 0
    assert len(rows("mine.csv")) > 0
    assert cli("export", "callable", "hubspot", "-o", "nowhere/a.csv", "--json").code == 2


@pytest.mark.parametrize("place", ["read", "check_again"])
def test_an_export_that_breaks_leaves_no_file(cli: Any, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    work: Callable[..., Any] = getattr(AccountExport, place)

    def work_and_break(export: AccountExport, some: Spool) -> None:
        work(export, some)
        raise KeyboardInterrupt

    monkeypatch.setattr(AccountExport, place, work_and_break)

    assert cli("export", "callable", "hubspot", "-o", "today.csv").code == 130
    assert {path.name for path in Path().iterdir()} == {"ringfence.db", "ringfence.key"}


def test_lists_and_channels_are_words_of_their_own(cli: Any) -> None:
    assert cli("export", "loud", "-o", "a.csv", "--json").code == 2
    assert cli("export", "callable", "-o", "a.csv", "--channel", "fax", "--json").code == 2
    assert cli("export", "callable", "--json").code == 2
    assert cli("export", "callable", "pipedrive", "-o", "a.csv", "--json").code == 2
