"""Public corpora of numbers with expected results, read where they are present."""

import csv
from pathlib import Path

import pytest
import yaml

from ringfence.core.numbers import LineType, Number, ReasonCode, Validity, read_number

FOLDER = Path(__file__).resolve().parents[3] / ".." / "shared" / "phones"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the corpora lie beside the checkout, not in it")

LINE_TYPES = {
    "FIXED_LINE": LineType.LANDLINE,
    "MOBILE": LineType.MOBILE,
    "FIXED_LINE_OR_MOBILE": LineType.FIXED_OR_MOBILE,
    "TOLL_FREE": LineType.TOLL_FREE,
    "PREMIUM_RATE": LineType.PREMIUM,
    "SHARED_COST": LineType.SHARED_COST,
    "VOIP": LineType.VOIP,
    "PERSONAL_NUMBER": LineType.PERSONAL,
    "PAGER": LineType.PAGER,
    "UAN": LineType.UAN,
    "VOICEMAIL": LineType.VOICEMAIL,
}
SATELLITE = ("+870", "+881")


CASES = Path(__file__).resolve().parents[2] / "cases"
DEPARTURES = {
    (row["raw"], row["region"]) for row in yaml.safe_load((CASES / "departures.yaml").read_text(encoding="utf-8"))
}


def load(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    for row in rows:
        row["raw"] = row["raw"].replace("\\\\", "\0").replace("\\t", "\t").replace("\\n", "\n").replace("\0", "\\")
    return rows


def read(row: dict[str, str]) -> Number:
    return read_number(row["raw"], row["default_region"] or None)


def test_example_numbers_are_valid_and_typed() -> None:
    rows = load("libphonenumber_example_numbers")

    assert len(rows) > 2000

    for row in rows:
        number = read(row)

        assert (number.validity, number.e164) == (Validity.VALID, row["expected_e164"]), row

        if row["expected_e164"].startswith(SATELLITE):
            assert number.line_type is LineType.SATELLITE
        else:
            assert number.line_type in [LINE_TYPES[kind] for kind in row["expected_type"].split("|")], row


def test_library_cases_agree_or_are_refused() -> None:
    """Wherever we give a number it is the expected one, but for the table of departures; the rest is refused."""
    refused = {ReasonCode.TOO_SHORT, ReasonCode.TOO_LONG, ReasonCode.MASKED, ReasonCode.AMBIGUOUS}
    for row in load("libphonenumber_unit_tests"):
        if (row["raw"], row["default_region"]) in DEPARTURES:
            continue
        number = read(row)
        if row["expected_valid"] == "0":
            assert number.validity is not Validity.VALID, row
        if row["expected_type"] == "PARSE_ERROR":
            assert number.validity is not Validity.VALID, row
            continue
        if row["expected_valid"] == "1":
            assert number.validity is Validity.VALID, row
        if row["expected_e164"] and row["expected_valid"] != "0":
            assert number.e164 == row["expected_e164"] or (number.e164 is None and number.reason in refused), row


def test_overtyped_digits_are_never_valid() -> None:
    for row in load("hospital_dirty_cells"):
        number = read(row)
        assert (number.e164, number.reason) == (None, ReasonCode.MASKED), row


def test_clean_cells_are_read() -> None:
    for row in load("hospital_benchmark"):
        assert read(row).e164 == row["expected_e164"], row
