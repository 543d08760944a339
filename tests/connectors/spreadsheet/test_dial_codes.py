"""Numbers whose calling code or area code stands in a column of its own, and rows whose country cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ringfence.connectors.spreadsheet.detection import detect
from ringfence.connectors.spreadsheet.options import ScreenOptions
from ringfence.connectors.spreadsheet.screening import Summary

Screen = Callable[..., tuple[bytes, Summary]]
Parse = Callable[..., list[list[str]]]


@pytest.mark.parametrize(
    ("header", "row", "region", "e164"),
    [
        ("Name;Vorwahl;Rufnummer", "Ann;030;23125123", "DE", "+493023125123"),
        ("Name;Vorwahl;Rufnummer", "Ann;30;23125123", "DE", "+493023125123"),
        ("Name;Vorwahl;Rufnummer", "Ann;(0)30;23125123", "DE", "+493023125123"),
        ("Name;Vorwahl;Rufnummer", "Ann;0171;2345678", "DE", "+491712345678"),
        ("Name;Vorwahl;Rufnummer", "Ann;030;030 23125123", "DE", "+493023125123"),
        ("Name;Vorwahl;Rufnummer", "Ann;030;+49 30 23125123", "DE", "+493023125123"),
        ("Name;Vorwahl;Rufnummer", "Ann;;030 23125123", "DE", "+493023125123"),
        ("Name;Vorwahl;Rufnummer", "Ann;030;23125123", None, ""),
        ("Name;Ländervorwahl;Vorwahl;Rufnummer", "Ann;+49;30;23125123", None, "+493023125123"),
        ("Name;Ländervorwahl;Vorwahl;Rufnummer", "Ann;0033;1;42685300", "DE", "+33142685300"),
        ("Name;Country Code;Phone", "Ann;44;20 7946 0018", "US", "+442079460018"),
        ("Name;Country Code;Phone", "Ann;1;(415) 555-2671", None, "+14155552671"),
        ("Name;Country Code;Phone", "Ann;;020 7946 0018", "GB", "+442079460018"),
        ("Name;Dial code;Mobile", "Ann;+39;06 6982 1234", None, "+390669821234"),
        ("Name;Land;Mobil", "Ann;+49;0171 2345678", "AT", "+491712345678"),
        ("Name;Area code;Phone", "Ann;415;555-2671", "US", "+14155552671"),
        ("Name;Area code;Phone", "Ann;415;415-555-2671", "US", "+14155552671"),
        ("Name;DDD Celular;Celular", "Ann;11;91234-5678", "BR", "+5511912345678"),
        ("Phone;Area code;Name", "555-2671;415;Ann", "US", "+14155552671"),
        ("Phone;Name;Area code", "555-2671;Ann;415", "US", "+14155552671"),
    ],
)
def test_codes_of_their_own_columns_are_joined(
    screen: Screen, parse: Parse, header: str, row: str, region: str | None, e164: str
) -> None:
    data, _ = screen(f"{header}\n{row}\n".encode(), ScreenOptions(region=region, delimiter=";"))

    names, cells = parse(data.decode(), ";")
    found = dict(zip(names, cells, strict=True))
    assert [value for name, value in found.items() if name.endswith("_e164")] == [e164]


def test_an_opt_out_covers_the_joined_number_and_no_other(screen: Screen) -> None:
    text = "Vorwahl;Rufnummer;DNC\n030;23125123;x\n;030 23125123;\n;0231 25123;\n"

    _, summary = screen(text.encode(), ScreenOptions(region="DE"))

    assert summary.columns[0].statuses == {"do_not_contact": 2, "valid": 1}


def test_the_preview_names_what_is_joined(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("Name;Vorwahl;Rufnummer;Mobil\nAnn;030;23125123;0171 2345678\n")

    found = detect(tmp_path / "in.csv", ScreenOptions(region="DE"))

    assert [(role.role, role.why) for role in found.roles[1:3]] == [
        ("area code", "joined with 'Rufnummer'"),
        ("phone", "by its header; 100% of the cells read as numbers"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Prefix,Phone\nMr,+442079460018\nDr,+442079460019\n",
        "Country Code,Phone\nGB,020 7946 0018\nGB,020 7946 0019\n",
        "Area code,Phone\nNorth,+442079460018\n",
        "Phone,Mobile,Name,Area code\n+442079460018,,Ann,415\n",
        "Phone with area code\n+442079460018\n",
    ],
)
def test_what_is_no_code_is_joined_with_nothing(screen: Screen, tmp_path: Path, text: str) -> None:
    _, summary = screen(text.encode())

    assert summary.columns[0].statuses["valid"] == summary.rows
    assert not detect(tmp_path / "in.csv", ScreenOptions()).codes


def test_a_country_that_cannot_be_read_is_no_region_and_is_named(screen: Screen, parse: Parse) -> None:
    cells = [
        "01 42 68 53 00;Atlantide",
        "01 42 68 53 00;",
        "01 42 68 53 00;FR",
        "01 42 68 53 00;Atlantide",
        ";Nulle part",
    ]
    text = "\n".join(["Tel;Pays", *cells])

    data, summary = screen(text.encode(), ScreenOptions(region="FR"))

    assert [row[4] for row in parse(data.decode(), ";")[1:]] == ["", "+33142685300", "+33142685300", "", ""]
    assert summary.unread_countries == {"Atlantide": 2}
    assert (summary.no_region, summary.columns[0].statuses["unknown"]) == (2, 2)


def test_a_file_whose_countries_all_cannot_be_read_takes_no_default(screen: Screen) -> None:
    text = "Tel;Country\n01 42 68 53 00;Atlantide\n01 42 68 53 01;Nulle part\n"

    _, summary = screen(text.encode(), ScreenOptions(region="FR"))

    assert summary.columns[0].statuses == {"unknown": 2}
