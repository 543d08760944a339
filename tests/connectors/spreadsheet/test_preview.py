"""What the preview tells of each column: what it was taken for, why, and what nearly was one."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.connectors.spreadsheet.detection import detect
from ringfence.connectors.spreadsheet.options import ScreenOptions
from ringfence.connectors.spreadsheet.roles import preview_cell

OUTLOOK = (
    "Title,First Name,Last Name,Business Street,Business Country/Region,Assistant's Phone,Business Fax,Business Phone,"
    "Mobile Phone,E-mail Address,Notes,Email opt out,Phone Type,DNC checked on,GDPR status,"
    "Deceased,No contact since,Telephone preference"
)
ROW = "Mr,Ann,Lee,1 Main St,Germany,,030 999 8888,030 23125123,0171 2345678,a@b.c,DNC,yes,Mobile,2024-05-06,fine,,,Home"


@pytest.fixture
def roles(tmp_path: Path) -> dict[str, tuple[str, str]]:
    """Return role and reason of each column of an address book, by name."""
    (tmp_path / "in.csv").write_text("\n".join([OUTLOOK, *[ROW] * 8]))
    return {role.name: (role.role, role.why) for role in detect(tmp_path / "in.csv", ScreenOptions()).roles}


def test_each_column_has_what_it_was_taken_for_and_why(roles: dict[str, tuple[str, str]]) -> None:
    assert roles["Business Country/Region"] == ("country", "by its header; 100% of the cells read as countries")
    assert roles["Business Phone"] == ("phone", "by its header; 100% of the cells read as numbers")
    assert roles["Assistant's Phone"] == ("phone", "by its header; no cell is filled yet")
    assert roles["First Name"] == ("", "")


@pytest.mark.parametrize(
    ("column", "why"),
    [
        ("Business Fax", "not phones by its header"),
        ("Phone Type", "about phones"),
        ("Notes", "a cell says 'DNC'"),
        ("Email opt out", "about e-mail"),
        ("DNC checked on", "holds the days of checks"),
        ("GDPR status", "nearly an opt-out"),
        ("Deceased", "nearly an opt-out"),
        ("No contact since", "nearly an opt-out"),
        ("Telephone preference", "nearly an opt-out"),
    ],
)
def test_what_nearly_was_one_is_named(roles: dict[str, tuple[str, str]], column: str, why: str) -> None:
    role, reason = roles[column]

    assert role == ""
    assert why in reason


def test_the_notes_tell_of_what_nearly_was_one(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("Phone,Stage\n+442079460001,Do not call\n+442079460002,Customer\n")

    found = detect(tmp_path / "in.csv", ScreenOptions())

    assert found.opt_outs == ()
    assert found.notes == ("Column 'Stage': not used, but a cell says 'Do not call'; --opt-out takes it.",)


def test_what_nearly_was_an_opt_out_is_noted_beside_one_that_was_found(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("Phone,DNC,Stage\n+442079460001,,Do not call\n+442079460002,,Customer\n")

    found = detect(tmp_path / "in.csv", ScreenOptions())

    assert [column.name for column in found.opt_outs] == ["DNC"]
    assert found.notes == ("Column 'Stage': not used, but a cell says 'Do not call'; --opt-out takes it.",)


def test_label_columns_beside_numbers_are_left_out(tmp_path: Path) -> None:
    header = "Name,Phone 1 - Label,Phone 1 - Value,Phone 2 - Type,Phone 2 - Value,Telefon Bezeichnung"
    (tmp_path / "in.csv").write_text(f"{header}\nAnn,Mobile,+442079460001,Work,,Büro\n", encoding="utf-8")

    found = detect(tmp_path / "in.csv", ScreenOptions())

    assert [column.name for column in found.phones] == ["Phone 1 - Value", "Phone 2 - Value"]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [("+442079460018", "+4420***0018"), ("2024-05-06", "2024-05-06"), ("06.05.2024 10:11", "06.05.2024 10:11"),
     ("a\x1b[31mb", "a [31mb"), ("x" * 50, "x" * 40 + "…")],
)  # fmt: skip
def test_a_cell_is_shown_without_its_number_and_without_what_a_terminal_obeys(cell: str, shown: str) -> None:
    assert preview_cell(cell) == shown
