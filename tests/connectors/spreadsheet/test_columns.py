"""Which columns are taken for phones, countries and opt-outs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ringfence.connectors.spreadsheet.columns import FoundColumn
from ringfence.connectors.spreadsheet.detection import Detection, detect
from ringfence.connectors.spreadsheet.options import ScreenOptions
from ringfence.core.errors import UsageError

Find = Callable[..., Detection]

GB = [f"+44 20 7946 0{n:03}" for n in range(12)]


@pytest.fixture
def find(tmp_path: Path) -> Find:
    """Detect the columns of a file with these cells by column name."""

    def run(columns: dict[str, list[str]], options: ScreenOptions | None = None) -> Detection:
        path = tmp_path / "in.csv"
        rows = [list(columns), *zip(*columns.values(), strict=True)]
        path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
        return detect(path, options or ScreenOptions(delimiter="\t"))

    return run


def names(columns: Sequence[FoundColumn]) -> list[str]:
    return [column.name for column in columns]


@pytest.mark.parametrize(
    "header",
    ["Phone", "MobilePhone", "phone_number_2", "Cell", "Tel.", "Telefon (geschäftlich)", "Handy", "Handynummer",
     "Móvil", "Téléphone", "Telefone", "Celular", "Cellulare", "WhatsApp", "电话", "手机号码", "携帯電話", "전화번호",
     "Телефон", "Мобильный телефон", "WorkPhone", "Rufnummer", "GSM", "Puhelin", "HomeTelephone", "座机", "固话"],
)  # fmt: skip
def test_headers_in_many_languages_announce_phones(find: Find, header: str) -> None:
    found = find({"id": ["1"] * 12, header: GB})

    assert names(found.phones) == [header]
    assert (found.phones[0].by, found.phones[0].share) == ("header", 1.0)


@pytest.mark.parametrize("header", ["Fax", "Telefax", "Fax Phone", "PhoneType", "Phone Opt Out", "rf_phone_e164"])
def test_fax_and_what_is_about_phones_is_no_phone_column(find: Find, header: str) -> None:
    assert find({"id": ["1"] * 12, header: GB}).phones == ()


def test_a_header_alone_is_not_enough_when_the_cells_say_otherwise(find: Find) -> None:
    found = find({"Phone label": ["home", "work"] * 6, "Phone verified on": ["2024-01-02"] * 12, "Phone": GB})
    assert names(found.phones) == ["Phone"]


def test_numbers_under_any_header_are_found_by_content(find: Find) -> None:
    found = find({"Erreichbar unter": GB, "Memo": ["call 3 times"] * 12})
    assert [(column.name, column.by) for column in found.phones] == [("Erreichbar unter", "content")]


def test_what_only_looks_like_numbers_is_left_alone(find: Find) -> None:
    found = find(
        {
            "Order": [f"{n:010}" for n in range(12)],
            "Created": [f"2024-05-{n + 1:02} 10:11:12" for n in range(12)],
            "Stamp": [str(1700000000 + n * 86400) for n in range(12)],
            "Zip": ["10115"] * 12,
            "Customer No": [f"20794600{n:02}" for n in range(12)],
            "Amount": [f"{n}00.50" for n in range(12)],
        },
        ScreenOptions(region="GB", delimiter="\t"),
    )

    assert found.phones == ()


def test_national_numbers_are_read_by_the_country_of_their_row(find: Find) -> None:
    found = find({"Contact no": ["020 7946 0000"] * 12, "Country": ["United Kingdom"] * 12})
    assert (names(found.phones), found.country.name) == (["Contact no"], "Country")


@pytest.mark.parametrize(
    ("columns", "country"),
    [
        ({"MailingCountry": ["USA"] * 12, "Phone": GB}, "MailingCountry"),
        ({"Land": ["DE", "AT", "CH"] * 4, "Phone": GB}, "Land"),
        ({"国家": ["CN"] * 12, "Phone": GB}, "国家"),
        ({"国": ["JP"] * 12, "Phone": GB}, "国"),
        ({"中国語": ["JP"] * 12, "Phone": GB}, None),
        ({"Where": ["Germany", "France", "Spain"] * 4, "Phone": GB}, "Where"),
        ({"Country": [""] * 12, "OtherCountry": ["Spain"] * 12, "Phone": GB}, "OtherCountry"),
        ({"Title": ["Mr", "Ms"] * 6, "Phone": GB}, None),
        ({"Anrede": ["MR", "MS"] * 6, "Phone": GB}, None),
        ({"State": ["CA", "AL", "GA"] * 4, "Phone": GB}, None),
        ({"Land": ["meadow", "forest"] * 6, "Phone": GB}, None),
    ],
)
def test_the_country_column(find: Find, columns: dict[str, list[str]], country: str | None) -> None:
    found = find(columns)
    assert (found.country.name if found.country else None) == country


@pytest.mark.parametrize(
    ("header", "cells", "taken"),
    [
        ("Do Not Call", ["yes", ""] * 6, True),
        ("DoNotCall", ["TRUE", "FALSE"] * 6, True),
        ("HasOptedOutOfCall", ["1", "0"] * 6, True),
        ("DNC", [""] * 12, True),
        ("Opt-Out since", ["2024-02-03", ""] * 6, True),
        ("Werbesperre", ["ja", "nein"] * 6, True),
        ("rf_do_not_call", ["true", ""] * 6, True),
        ("Email opt out", ["yes", ""] * 6, False),
        ("HasOptedOutOfFax", ["1", "0"] * 6, False),
        ("SMS opt out", ["1", "0"] * 6, False),
        ("DNC remarks", ["spoke to his wife"] * 12, True),
        ("DNC checked", ["2024-05-06"] * 12, False),
    ],
)
def test_opt_out_columns(find: Find, header: str, cells: list[str], taken: Any) -> None:
    assert names(find({header: cells, "Phone": GB}).opt_outs) == ([header] if taken else [])


def test_the_days_of_checks_are_no_opt_outs_and_are_mentioned(find: Find) -> None:
    found = find({"DNC checked": ["2024-05-06"] * 12, "Phone": GB})
    assert "'DNC checked': nearly an opt-out" in found.notes[0]


def test_columns_can_be_named_in_any_case_and_by_place(find: Find) -> None:
    columns = {"Kontakt": ["x"] * 12, "Ruf": GB, "Fax": GB}
    found = find(columns, ScreenOptions(phones=("ruf", "column_3"), country="KONTAKT", delimiter="\t"))

    assert [(c.index, c.by) for c in found.phones] == [(1, "named"), (2, "named")]
    assert found.country.index == 0


def test_a_column_that_is_not_there_is_named_with_what_was_meant(find: Find) -> None:
    with pytest.raises(UsageError, match="no column 'Fone'") as caught:
        find({"Phone": GB, "Name": ["x"] * 12}, ScreenOptions(phones=("Fone",), delimiter="\t"))

    assert "Did you mean 'Phone'?" in caught.value.remedy
    assert "Phone, Name" in caught.value.remedy


def test_a_file_without_a_header_says_so(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("Ann;+442079460000\nBob;+442079460001\n")
    found = detect(path, ScreenOptions())

    assert (found.has_header, found.columns, found.rows) == (False, ("column_1", "column_2"), 2)
    assert names(found.phones) == ["column_2"]
    assert "no header" in found.notes[0]


def test_a_header_with_digits_is_still_a_header(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("phone,20240101\n+442079460001,5\n")

    assert detect(path, ScreenOptions()).has_header


def test_the_preview_shows_no_full_number_and_nothing_long(find: Find) -> None:
    found = find({"Phone": GB, "Note": ["or call +442079460999, " + "x" * 90] * 12, "Text": ["y" * 90] * 12})

    assert len(found.preview) == 5

    shown = "".join(cell for row in found.preview for cell in row)

    assert "7946" not in shown
    assert found.preview[0][2] == "y" * 40 + "…"


def test_the_estimate_of_rows_is_near_for_a_large_file(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("id,phone\n" + "".join(f"{n},+44207946{n % 10000:04}\n" for n in range(20_000)))

    assert detect(path, ScreenOptions()).rows == pytest.approx(20_000, rel=0.1)
