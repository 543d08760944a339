"""The tables of placeholders, former numbers and country names say what can be."""

import re

import pycountry
import pytest

from ringfence.core.numbers import Validity, read_number
from ringfence.core.numbers.country_names import LANGUAGES
from ringfence.core.numbers.placeholders import TELLING, is_placeholder, load_placeholders
from ringfence.core.numbers.plans import numbering_plan as plan
from ringfence.core.numbers.plans.former import load_former
from ringfence.core.numbers.regions import read_region


def test_the_last_digits_tell_every_placeholder() -> None:
    table = load_placeholders()

    assert {each[-4:] for each in (*table.digits, *table.allocated)} <= TELLING
    assert all(map(is_placeholder, table.digits))


@pytest.mark.parametrize("e164", sorted(load_placeholders().allocated))
def test_an_allocated_placeholder_is_valid_and_carries_nothing(e164: str) -> None:
    number = read_number(e164, None)

    assert (number.validity, number.covers) == (Validity.VALID, ())


@pytest.mark.parametrize("digit", "0123456789")
@pytest.mark.parametrize("region", ["US", "IN", "DK", "MX", "TR", "GB", None])
@pytest.mark.parametrize("count", [7, 8, 10, 11])
def test_one_digit_over_and_over_is_never_valid_and_carries_nothing(digit: str, region: str | None, count: int) -> None:
    number = read_number(digit * count, region)

    assert number.validity not in (Validity.VALID, Validity.UNKNOWN)
    assert number.covers == ()


def test_the_rules_of_former_numbers_are_of_plans_that_exist() -> None:
    rules = load_former()

    assert all(map(plan.is_calling_code, rules))
    assert all(re.search(r"\\(\d|g<\d>)", today) for each in rules.values() for rule in each for today in rule.today)


@pytest.mark.parametrize(
    ("former", "today"),
    [
        ("+52 1 55 1234 5678", "+525512345678"),
        ("+54 9 351 15 612-3456", "+5493516123456"),
        ("+55 11 8765 4321", "+5511987654321"),
        ("+225 05 06 07 08", "+2250505060708"),
        ("+225 44 06 07 08", "+2250544060708"),
        ("+229 97 97 97 97", "+2290197979797"),
        ("+237 7712 3456", "+237677123456"),
        ("+56 8765 4321", "+56987654321"),
        ("+57 1 234 5678", "+576012345678"),
        ("+63 2 812 3456", "+63288123456"),
        ("+84 168 234 5678", "+84382345678"),
        ("+84 123 234 5678", "+84832345678"),
    ],
)
def test_an_opt_out_on_a_former_number_covers_the_one_of_today(former: str, today: str) -> None:
    number = read_number(former, None)

    assert number.validity in (Validity.VALID, Validity.UNKNOWN)
    assert today in number.covers


def test_there_are_names_of_every_country_in_every_language() -> None:
    assert len(LANGUAGES) == len(set(LANGUAGES)) >= 40
    assert all(read_region(country.alpha_3) == country.alpha_2 for country in pycountry.countries)
