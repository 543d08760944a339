"""Raw phone fields and their verdicts, as support staff could read and add to them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from ringfence.core.numbers import ReasonCode, Validity, mask, mask_text, metadata_version, read_number

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "cases" / "numbers.yaml").read_text(encoding="utf-8")
)
OFFLINE_REASONS = {
    ReasonCode.ALLOCATED,
    ReasonCode.NOT_A_NUMBER,
    ReasonCode.TOO_SHORT,
    ReasonCode.TOO_LONG,
    ReasonCode.BAD_COUNTRY_CODE,
    ReasonCode.UNALLOCATED,
    ReasonCode.MASKED,
    ReasonCode.AMBIGUOUS,
    ReasonCode.NO_REGION,
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['raw']!a}-{case['region']}")
def test_case(case: dict[str, Any]) -> None:
    number = read_number(case["raw"], case["region"])

    assert {
        "e164": number.e164,
        "validity": number.validity,
        "reason": number.reason,
        "extension": number.extension,
        "repairs": list(number.repairs),
        "others": list(number.others),
    } == {
        "e164": case.get("e164"),
        "validity": case["validity"],
        "reason": case["reason"],
        "extension": case.get("extension"),
        "repairs": case.get("repairs", []),
        "others": case.get("others", []),
    }
    assert number.raw == case["raw"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['raw']!a}-{case['region']}")
def test_what_an_opt_out_on_the_cell_covers(case: dict[str, Any]) -> None:
    number = read_number(case["raw"], case["region"])

    if "covers" in case or case["validity"] != "unknown":
        certain = [case["e164"], *case.get("others", [])] if case["validity"] == "valid" else []
        assert list(number.covers) == case.get("covers", certain)
    assert any(key.startswith("cell:") for key in number.covers) == (
        number.validity is Validity.UNKNOWN and case.get("covers") != []
    )
    assert all(read_number(key, None).e164 == key for key in number.covers if key.startswith("+"))


def test_the_cases_cover_every_offline_reason() -> None:
    assert {case["reason"] for case in CASES} == OFFLINE_REASONS


@pytest.mark.parametrize("raw", [None, "", "  \t\n", "\u200b"])
def test_an_empty_field_is_not_a_number(raw: str | None) -> None:
    number = read_number(raw, "US")
    assert (number.validity, number.reason, number.e164) == (Validity.INVALID, ReasonCode.NOT_A_NUMBER, None)


def test_a_guessed_calling_code_must_lead_to_an_allocated_number() -> None:
    assert read_number("+55 55 1234 5678", None).validity == Validity.POSSIBLE

    number = read_number("555512345678", "US")

    assert (number.e164, number.reason) == (None, ReasonCode.TOO_LONG)


def test_line_types_and_regions() -> None:
    mobile, satellite = read_number("+447400123456", None), read_number("+881612345678", None)

    assert (mobile.line_type, mobile.region) == ("mobile", "GB")
    assert (satellite.line_type, satellite.region) == ("satellite", "001")
    assert read_number("+1 204 234 5678", "US").region == "CA"
    assert read_number("07700 900123", "gb").line_type == "unknown"


def test_more_than_fifteen_digits_are_no_e164_number() -> None:
    assert read_number("+49 30 23125 123456789", None).reason == ReasonCode.TOO_LONG


def test_a_long_text_is_examined_at_its_beginning_only() -> None:
    number = read_number("020 7946 0018 " + "blah " * 2000 + "020 7946 0019", "GB")

    assert (number.e164, number.others) == ("+442079460018", ())
    assert "examined the beginning only" in number.repairs


def test_a_number_is_never_cut_in_half_at_the_end_of_what_is_examined() -> None:
    filler = "text " * 197 + "it "

    assert read_number("+49 30 23125", None).validity == Validity.VALID
    assert read_number(filler + "+49 30 23125123", None).e164 is None


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("+14155552671", "+1415***2671"),
        ("+442079460018", "+4420***0018"),
        ("+24762889", "+247***89"),
        ("12345", "***45"),
        ("110", "***"),
        ("+4791234567", "+47***67"),
        ("+1 415 555 2671", "+1***71"),
        ("00442079460018", "***18"),
        ("call 202-555-0143 x12", "***12"),
        ("", "***"),
        ("not a number", "***"),
    ],
)
def test_mask(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("(415) 555-2671", "***71"),
        ("800-FLOWERS", "***"),
        ("(800) flowers", "***"),
        ("1-800-FLOWERS", "***0"),
        ("ask for 800 FLOWERS", "***"),
        ("+1 GOFLOWERS", "+***"),
        ("\uff18\uff10\uff10-\uff26\uff2c\uff2f\uff37\uff25\uff32\uff33", "***"),
        ("n/a", "n/a"),
        ("room 12", "room 12"),
        ("allocated: well formed (2 other numbers in the field)",) * 2,
    ],
)
def test_mask_text_hides_numbers_in_digits_and_in_letters_and_nothing_else(text: str, shown: str) -> None:
    assert mask_text(text) == shown


def test_metadata_version_is_that_of_the_library() -> None:
    assert metadata_version().count(".") == 2
