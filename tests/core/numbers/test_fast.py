"""The tables say what `phonenumbers` says; `benchmarks/offline_numbers.py` asks about a million numbers more."""

import re
from collections.abc import Iterator
from random import Random

import phonenumbers
import pytest
from phonenumbers import PhoneMetadata, PhoneNumberType

from ringfence.core.numbers import read_number, reader
from ringfence.core.numbers.plans import reference, table
from ringfence.core.numbers.plans.automaton import Automaton, Graph
from ringfence.core.numbers.plans.patterns import UnsupportedPatternError, parse
from ringfence.core.numbers.plans.table import find

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
TYPES = range(PhoneNumberType.FIXED_LINE, PhoneNumberType.VOICEMAIL + 1)
# Trunk prefixes, exit prefixes and carrier codes, as they are typed in front.
PREFIXES = ("", "0", "1", "8", "06", "15", "00", "011", "810", "0014", "119", "183", "0015", "1400")


def examples(region: str) -> list[str]:
    numbers = (phonenumbers.example_number_for_type(region, kind) for kind in TYPES)
    return [phonenumbers.national_significant_number(number) for number in numbers if number]


def mutated(rng: Random, digits: str) -> str:
    """One digit more, fewer or another."""
    at, digit = rng.randrange(len(digits) + 1), rng.choice("0123456789")
    return digits[:at] + rng.choice((digit + digits[at:], digit + digits[at + 1 :], digits[at + 1 :]))


def variants(rng: Random, region: str, national: str) -> Iterator[tuple[str | None, str]]:
    """A national number as dialled at home, from elsewhere, with a plus, with a prefix of another plan."""
    code = str(phonenumbers.country_code_for_region(region))
    trunk = PhoneMetadata.metadata_for_region(region).national_prefix or ""
    for digits in (national, mutated(rng, national), mutated(rng, mutated(rng, national))):
        yield region, digits
        yield None, code + digits
        yield region, trunk + digits
        yield region, code + digits
        yield region, rng.choice(PREFIXES) + digits
        yield rng.choice(REGIONS), rng.choice(PREFIXES) + code + digits


def generated(rng: Random, count: int) -> Iterator[tuple[str | None, str]]:
    """Digits of any length behind any prefix."""
    for _ in range(count):
        region = rng.choice(REGIONS)
        code = str(phonenumbers.country_code_for_region(rng.choice((region, rng.choice(REGIONS)))))
        digits = "".join(rng.choices("0123456789", k=rng.randrange(17)))
        yield rng.choice((None, region, region)), rng.choice(PREFIXES) + rng.choice(("", code)) + digits


def test_examples_and_mutations_of_every_region() -> None:
    rng = Random(7)
    rows = [row for region in REGIONS for national in examples(region) for row in variants(rng, region, national)]

    assert len(rows) > 20_000
    assert [(row, find(*row)[:2]) for row in rows if find(*row)[:2] != reference.ask(*row)] == []


def test_calling_codes_of_no_country() -> None:
    rng = Random(8)
    for code in phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS:
        national = phonenumbers.national_significant_number(phonenumbers.example_number_for_non_geo_entity(code))
        for digits in (national, *(mutated(rng, national) for _ in range(50))):
            assert find(None, f"{code}{digits}")[:2] == reference.ask(None, f"{code}{digits}")


@pytest.mark.slow
def test_generated_digits() -> None:
    rows = list(generated(Random(9), 60_000))
    assert [(row, find(*row)[:2]) for row in rows if find(*row)[:2] != reference.ask(*row)] == []


def test_valid_and_possible_are_the_answers_of_the_library() -> None:
    for region in REGIONS:
        for national in examples(region):
            number = phonenumbers.parse(national, region)
            assert phonenumbers.is_valid_number(number) == find(region, national)[1].valid
            assert phonenumbers.is_possible_number(number) == find(region, national)[1].possible


@pytest.mark.parametrize("digits", ["", "1", "12", "0" * 17, "4" * 26, "49" + "1" * 30, "1" * 260])
@pytest.mark.parametrize("region", [None, "US", "DE", "AR", "IT"])
def test_digits_of_any_length(region: str | None, digits: str) -> None:
    assert find(region, digits)[:2] == reference.ask(region, digits)


def test_the_short_way_of_a_cell_reads_as_the_long_way(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = Random(10)
    forms = (phonenumbers.PhoneNumberFormat.NATIONAL, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    cells: list[tuple[str, str]] = []
    for region in REGIONS:
        for kind in TYPES:
            number = phonenumbers.example_number_for_type(region, kind)
            if number is not None:
                text = phonenumbers.format_number(number, rng.choice(forms))
                cells += [(text, region), (text.replace(" ", rng.choice(".-")), region)]
                cells += [(mutated(rng, text), region), (text, rng.choice(REGIONS)), (text.removeprefix("+"), region)]

    short = [read_number(*cell) for cell in cells]
    monkeypatch.setattr(reader, "read_plain", lambda raw, region: None)

    assert [
        pair for pair in zip(short, [read_number(*cell) for cell in cells], strict=True) if pair[0] != pair[1]
    ] == []


@pytest.mark.parametrize("pattern", ["1*", "1+", "(?=1)2", "(?!1)2", "1??", "1{2}?", "1)", "^1", "1$", "a", "[^1]"])
def test_a_pattern_of_another_kind_is_refused(pattern: str) -> None:
    with pytest.raises(UnsupportedPatternError):
        parse(pattern)


@pytest.mark.parametrize(
    "pattern", ["1?2{2,4}(?:3|[4-6]\\d)?", "(?:1|12)(?:3\\d|\\d4){1,2}", "\\d{3}|0(?:00)?", "[05]{0,2}7"]
)
def test_a_pattern_matches_as_it_does_for_re(pattern: str) -> None:
    automaton = Automaton(1)
    first = automaton.add(pattern, 0)
    rng, compiled = Random(pattern), re.compile(pattern)
    for _ in range(3000):
        digits = "".join(rng.choices("0123457", k=rng.randrange(7)))
        node = Graph(automaton, lambda matching: bool(matching)).root(first, len(digits))
        for digit in digits:
            node = node[digit] if isinstance(node, dict) else node

        assert node == (compiled.fullmatch(digits) is not None), digits


@pytest.fixture
def empty_table() -> Iterator[None]:
    table._TABLE.clear()
    yield
    table._TABLE.clear()


def test_the_library_is_asked_where_a_pattern_is_not_understood(
    monkeypatch: pytest.MonkeyPatch, empty_table: None
) -> None:
    def refuse(code: int, length: int) -> None:
        raise UnsupportedPatternError(code)

    monkeypatch.setattr(table, "ranges", refuse)
    for region in REGIONS[::20]:
        for national in examples(region):
            assert find(region, national)[:2] == reference.ask(region, national)


def test_the_table_is_bounded(monkeypatch: pytest.MonkeyPatch, empty_table: None) -> None:
    monkeypatch.setattr(table, "_MAX_SIZE", 100)
    for row in generated(Random(11), 3000):
        assert find(*row)[:2] == reference.ask(*row)
        assert table._TABLE.size < 130
