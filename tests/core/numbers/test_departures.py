"""Where cells are read otherwise than `phonenumbers` reads them: the table says which, and why."""

from pathlib import Path
from typing import Any

import phonenumbers
import pytest
import yaml

from ringfence.core.numbers import Validity, read_number

DEPARTURES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "cases" / "departures.yaml").read_text(encoding="utf-8")
)


def read_by_library(raw: str, region: str) -> dict[str, object] | None:
    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return {"e164": e164, "valid": phonenumbers.is_valid_number(number)}


@pytest.mark.parametrize("row", DEPARTURES, ids=lambda row: f"{row['raw']!a}-{row['region']}")
def test_departure(row: dict[str, Any]) -> None:
    number = read_number(row["raw"], row["region"])

    assert read_by_library(row["raw"], row["region"]) == row["library"]
    assert {"e164": number.e164, "validity": number.validity} == row["ours"]
    assert row["library"] != {"e164": number.e164, "valid": number.validity is Validity.VALID}
    assert row["why"]
