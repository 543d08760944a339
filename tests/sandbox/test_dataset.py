"""The made-up people: deterministic, varied, dirty in known shares, and nobody's numbers."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import phonenumbers
import pytest

from ringfence.core.model.verdicts import judge, offline_facts
from ringfence.core.numbers import read_number
from ringfence.sandbox.dataset import SWITCHBOARD, Person, people
from ringfence.sandbox.phonebook import MESSY, TIDY, countries, country_names, spell
from ringfence.sandbox.screened import verdicts

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
COUNT = 4000


@pytest.fixture(scope="module")
def crowd() -> list[Person]:
    return list(people(COUNT, now=NOW))


@pytest.fixture(scope="module")
def holders(crowd: list[Person]) -> Counter[str]:
    """How many people hold each number, as our own reader reads the cells."""
    return Counter(number for person in crowd for number in held_by(person))


def held_by(person: Person) -> set[str]:
    found: set[str] = set()
    for raw in (person.phone, person.mobile):
        number = read_number(raw, person.country)
        found |= {each for each in (number.e164, *number.others) if each}
    return found


def test_the_same_arguments_give_the_same_people() -> None:
    first = list(people(300, now=NOW))

    assert first == list(people(300, now=NOW))
    assert first != list(people(300, now=NOW, seed=8))


def test_many_countries_and_scripts(crowd: list[Person]) -> None:
    assert len({person.country for person in crowd}) >= 15
    assert {person.country for person in crowd} <= country_names().keys()
    assert any("ぁ" <= char <= "龥" for person in crowd for char in person.last)
    assert any(char in "ŁłÅåÜüÉé" for person in crowd for char in person.first)


def test_emails_are_unique_and_reserved(crowd: list[Person]) -> None:
    emails = [person.email for person in crowd]

    assert len(set(emails)) == COUNT
    assert all(email.isascii() and email.endswith("@example.com") for email in emails)


def test_shares_are_as_promised(crowd: list[Person], holders: Counter[str]) -> None:
    screened = Counter(person.screened for person in crowd)

    assert screened["never"] / COUNT == pytest.approx(0.70, abs=0.04)
    assert screened["recent"] / COUNT == pytest.approx(0.20, abs=0.03)
    assert screened["old"] / COUNT == pytest.approx(0.10, abs=0.03)
    assert sum(person.opted_out for person in crowd) / COUNT == pytest.approx(0.02, abs=0.01)

    shared = sum(count == 2 for count in holders.values())

    assert shared / COUNT == pytest.approx(0.04, abs=0.02)

    junk = [person for person in crowd if person.phone and not read_number(person.phone, person.country).e164]

    assert 0.01 < len(junk) / COUNT < 0.06


def test_one_switchboard_stands_out(crowd: list[Person], holders: Counter[str]) -> None:
    crowded = [number for number, count in holders.items() if count > 25]

    assert len(crowded) == 1

    members = [person for person in crowd if crowded[0] in held_by(person)]

    assert {person.company for person in members} == {SWITCHBOARD}
    assert not any(person.opted_out for person in members)
    assert max(count for number, count in holders.items() if number != crowded[0]) <= 3


def test_some_opted_out_numbers_are_held_by_others_too(crowd: list[Person]) -> None:
    silenced = {number for person in crowd if person.opted_out for number in held_by(person)}
    sharing = [person for person in crowd if not person.opted_out and silenced & held_by(person)]

    assert len(sharing) >= 5
    assert {person.screened for person in sharing} == {"never"}


def test_times_fit_the_screening(crowd: list[Person]) -> None:
    ages = {"recent": (timedelta(days=1), timedelta(days=30)), "old": (timedelta(days=40), timedelta(days=200))}
    for person in crowd:
        assert person.created <= person.modified <= NOW
        assert person.modified.microsecond % 1000 == 0

        if person.screened in ages:
            low, high = ages[person.screened]
            assert low <= NOW - person.modified <= high


def test_every_range_is_allocated_on_paper() -> None:
    """What `countries.json` lists is valid for the numbering plan and of its kind."""
    wanted = {
        "landline": {phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE},
        "mobile": {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE},
    }
    for country in countries():
        for kind, ranges in country.ranges.items():
            for each in ranges:
                for position in (0, each.size // 2, each.size - 1):
                    number = phonenumbers.parse(each.number(country, position).e164)
                    assert phonenumbers.is_valid_number(number), (country.iso, kind, number)
                    assert phonenumbers.number_type(number) in wanted[kind], (country.iso, kind, number)


def test_a_range_gives_every_number_once_and_a_wider_one_follows() -> None:
    country = next(each for each in countries() if each.iso == "SE")
    size = sum(each.size for each in country.ranges["landline"])
    drawn = [country.draw("landline").e164 for _ in range(size + 5000)]

    assert len(set(drawn[:size])) == size
    assert len(set(drawn)) > size + 4000  # the wider range holds the narrow one too

    for number in drawn[size:]:
        assert phonenumbers.is_valid_number(phonenumbers.parse(number)), number


def test_american_numbers_are_the_reserved_ones(crowd: list[Person], holders: Counter[str]) -> None:
    american = [number for number in holders if number.startswith("+1") and len(number) == 12]

    assert len(american) > 300
    assert {number[5:10] for number in american} <= {"55501", number_of_junk()}


def number_of_junk() -> str:
    return "+19995550123"[5:10]


@pytest.mark.parametrize("style", TIDY)
def test_tidy_spellings_have_one_reading(style: Any) -> None:
    for country in countries():
        number = country.draw("landline")
        assert read_number(spell(number, style, None, number), country.iso).e164 == number.e164, country.iso


def test_an_unknown_spelling_is_an_error() -> None:
    number = countries()[0].draw("landline")
    with pytest.raises(ValueError, match="no such spelling"):
        spell(number, "upside_down", None, number)

    assert not set(TIDY) & set(MESSY)


def test_old_verdicts_are_what_a_screening_says(crowd: list[Person]) -> None:
    seen = Counter()
    for person in crowd:
        for slot, verdict in verdicts(person).items():
            raw = person.phone if slot == "phone" else person.mobile
            number = read_number(raw, person.country)

            assert (verdict.e164, verdict.line_type) == (number.e164, number.line_type.value), raw
            assert verdict.screened_value == raw
            assert verdict.last_screened == person.modified.replace(microsecond=0)

            if person.opted_out:
                assert (verdict.status, verdict.reason.partition(":")[0]) == ("do_not_contact", "opted_out")
            else:
                assert verdict.reason == judge(offline_facts(number, NOW)).reason
            seen[verdict.status] += 1

    assert seen.keys() == {"valid", "invalid", "do_not_contact"}


def test_nobody_who_was_never_screened_has_a_verdict(crowd: list[Person]) -> None:
    assert not any(verdicts(person) for person in crowd if person.screened == "never")
