"""Numbers whose calling code or area code stands in a column of its own."""

import pytest

from ringfence.core.numbers import join_codes, read_number


@pytest.mark.parametrize(
    ("number", "calling", "area", "region", "e164"),
    [
        ("23125123", "", "030", "DE", "+493023125123"),
        ("23125123", "", "30", "DE", "+493023125123"),
        ("23125123", "", "(030)", "DE", "+493023125123"),
        ("030 23125123", "", "030", "DE", "+493023125123"),
        ("030 23125123", "", "", "DE", "+493023125123"),
        ("23125123", "+49", "030", None, "+493023125123"),
        ("030 23125123", "0049", "", "US", "+493023125123"),
        ("7946 0018", "44", "020", "US", "+442079460018"),
        ("555-0143", "1", "202", None, "+12025550143"),
        ("555-0143", "", "202", "US", "+12025550143"),
        ("+49 30 23125123", "49", "030", "US", "+493023125123"),
        ("0049 30 23125123", "+49", "", "DE", "+493023125123"),
        ("98765 43210", "+91", "", "GB", "+919876543210"),
    ],
)
def test_a_number_is_joined_with_its_codes(number: str, calling: str, area: str, region: str | None, e164: str) -> None:
    joined = join_codes(number, calling=calling, area=area, region=region)

    assert joined is not None
    assert read_number(joined, region).e164 == e164


@pytest.mark.parametrize(
    ("number", "calling", "area"),
    [
        ("23125123", "", "Berlin"),
        ("23125123", "Germany", "030"),
        ("23125123", "+999", "030"),
        ("+44 20 7946 0018", "+49", ""),
    ],
)
def test_codes_that_cannot_be_read_or_that_conflict_give_no_number(number: str, calling: str, area: str) -> None:
    assert join_codes(number, calling=calling, area=area, region="DE") is None


def test_a_cell_without_codes_stays_as_it_is() -> None:
    assert join_codes("n/a", region="DE") == "n/a"
    assert join_codes("", area="030", region="DE") == ""
