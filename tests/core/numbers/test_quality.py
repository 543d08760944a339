"""Where CRMs lose numbers: what plain `phonenumbers` gives, and what we give."""

from pathlib import Path
from typing import Any

import phonenumbers
import pytest
import yaml

from ringfence.core.numbers import read_number

NOISES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "cases" / "quality.yaml").read_text(encoding="utf-8")
)
ROWS = [(noise["noise"], row) for noise in NOISES for row in noise["rows"]]
KINDS = [
    "clean layouts",
    "trailing .0",
    "scientific notation",
    "two numbers",
    "suffix text",
    "00 / 011 of another region",
    "+cc (0)",
    "calling code without +",
    "en dash / thin space",
    "O / l typed for 0 / 1",
    "truncated",
]


def name(value: object) -> str:
    return f"{value['raw']!a}-{value['region']}" if isinstance(value, dict) else str(value)


def plainly(raw: str, region: str | None) -> dict[str, object]:
    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return {"e164": None, "valid": False}
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return {"e164": e164, "valid": phonenumbers.is_valid_number(number)}


def test_every_kind_of_noise_is_recorded() -> None:
    assert [noise["noise"] for noise in NOISES] == KINDS
    assert all(len(noise["rows"]) >= 2 for noise in NOISES)


@pytest.mark.parametrize(("noise", "row"), ROWS, ids=name)
def test_before(noise: str, row: dict[str, Any]) -> None:
    assert plainly(row["raw"], row["region"]) == row["before"]


@pytest.mark.parametrize(("noise", "row"), ROWS, ids=name)
def test_after(noise: str, row: dict[str, Any]) -> None:
    number = read_number(row["raw"], row["region"])
    after = row["after"]

    assert (number.e164, number.validity, number.reason) == (after["e164"], after["validity"], after["reason"])
    assert list(number.repairs) == after.get("repairs", [])
    assert list(number.others) == after.get("others", [])


@pytest.mark.parametrize(("noise", "row"), [row for row in ROWS if row[0] != "truncated"], ids=name)
def test_what_is_called_valid_is_the_number_that_was_meant(noise: str, row: dict[str, Any]) -> None:
    number = read_number(row["raw"], row["region"])
    assert number.validity != "valid" or number.e164 == row["truth"]
