"""Generated noise: how many numbers are recovered, and how many wrong ones are called valid.

Numbers with known truth are made from the example numbers of 32 regions by varying their last digits; each kind of
noise is put on them with a fixed seed, and the right region is given, as a CRM would.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import phonenumbers
import pytest
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from ringfence.core.numbers import ReasonCode, Validity, read_number

REGIONS = (
    *("US", "GB", "DE", "FR", "IT", "ES", "IN", "JP", "BR", "AU", "MX", "NL", "SE", "CH", "AT", "CA"),
    *("ZA", "PL", "NZ", "IE", "RU", "AR", "DK", "NO", "BE", "HU", "CN", "KR", "SG", "AE", "TR", "ID"),
)
PER_REGION = 25
SUFFIXES = (" (mobile)", " home", " ask for Anna", " (Axel)", " office", " - private")
BETWEEN = (" / ", " or ", "; ", "\n", ", ", " | ", "/")


@dataclass(frozen=True)
class Truth:
    """A valid number and how it may be written."""

    number: PhoneNumber
    other: PhoneNumber

    def layout(self, rng: Random, number: PhoneNumber | None = None) -> str:
        formats = (PhoneNumberFormat.NATIONAL, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.E164)
        return phonenumbers.format_number(number or self.number, rng.choice(formats))

    @property
    def e164(self) -> str:
        return phonenumbers.format_number(self.number, PhoneNumberFormat.E164)

    @property
    def code(self) -> str:
        return str(self.number.country_code)

    @property
    def after_code(self) -> str:
        return phonenumbers.format_number(self.number, PhoneNumberFormat.INTERNATIONAL)[len(self.code) + 2 :]


def truncated(rng: Random, text: str) -> str:
    for _ in range(rng.choice((1, 2, 3))):
        text = text.rstrip("- ")[:-1]
    return text.rstrip("- ")


def mistyped(rng: Random, text: str) -> str:
    places = [at for at, character in enumerate(text) if character in "01"]
    for at in rng.sample(places, min(len(places), rng.choice((1, 2)))):
        text = text[:at] + ("O" if text[at] == "0" else "l") + text[at + 1 :]
    return text


def spreadsheet(rng: Random, truth: Truth, region: str) -> str:
    # A float has lost plus and leading zeros.
    return rng.choice((truth.e164[1:], phonenumbers.national_significant_number(truth.number).lstrip("0"))) + ".0"


def foreign_exit(rng: Random, truth: Truth, region: str) -> str:
    prefix = "00" if region in ("US", "CA") else "011"
    return f"{prefix}{rng.choice((' ', ''))}{truth.code} {truth.after_code}"


Noise = Callable[[Random, Truth, str], str]
NOISES: dict[str, Noise] = {
    "clean layouts": lambda rng, truth, region: truth.layout(rng),
    "trailing .0": spreadsheet,
    "scientific notation": lambda rng, truth, region: f"{float(truth.e164[1:]):.4E}",
    "two numbers": lambda rng, truth, region: truth.layout(rng) + rng.choice(BETWEEN) + truth.layout(rng, truth.other),
    "suffix text": lambda rng, truth, region: truth.layout(rng) + rng.choice(SUFFIXES),
    "foreign 00 / 011": foreign_exit,
    "+cc (0)": lambda rng, truth, region: f"+{truth.code} (0){truth.after_code}",
    "calling code without +": lambda rng, truth, region: truth.e164[1:],
    "en dash / thin space": lambda rng, truth, region: (
        truth.layout(rng).replace("-", "\u2013").replace(" ", rng.choice("\u2009\u2013"))
    ),
    "O / l for 0 / 1": lambda rng, truth, region: mistyped(rng, truth.layout(rng)),
    "truncated": lambda rng, truth, region: truncated(rng, truth.layout(rng)),
}
# Of 100 rows: the fewest that must be recovered, and the most that may become a wrong number called valid.
BOUNDS = {
    "clean layouts": (99.5, 0.2),
    "trailing .0": (90.0, 0.5),
    "scientific notation": (0.0, 0.0),
    "two numbers": (97.0, 0.0),
    "suffix text": (99.0, 0.2),
    "foreign 00 / 011": (98.0, 0.0),
    "+cc (0)": (96.0, 0.2),
    "calling code without +": (90.0, 0.5),
    "en dash / thin space": (99.0, 0.2),
    "O / l for 0 / 1": (95.0, 0.5),
    # Where numbers have many lengths a shorter one is valid too; below, these are shown to be the library's own.
    "truncated": (0.0, 8.0),
}
MUCH_BETTER = ("trailing .0", "suffix text", "two numbers", "foreign 00 / 011", "+cc (0)", "en dash / thin space")


def draw(rng: Random, region: str) -> PhoneNumber:
    while True:
        kind = rng.choice((PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE))
        example = phonenumbers.example_number_for_type(region, kind)
        assert example is not None
        digits = phonenumbers.national_significant_number(example)
        kept = digits[: -rng.choice((3, 4, 5))]
        digits = kept + "".join(rng.choice("0123456789") for _ in range(len(digits) - len(kept)))
        number = phonenumbers.parse(f"+{example.country_code}{digits}")
        if phonenumbers.is_valid_number(number) and phonenumbers.national_significant_number(number) == digits:
            return number


def rows(noise: str) -> list[tuple[str, str, Truth]]:
    rng = Random(noise)
    drawn = [(region, Truth(draw(rng, region), draw(rng, region))) for region in REGIONS for _ in range(PER_REGION)]
    return [(NOISES[noise](rng, truth, region), region, truth) for region, truth in drawn]


def plainly(raw: str, region: str) -> str | None:
    try:
        return phonenumbers.format_number(phonenumbers.parse(raw, region), PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        return None


@pytest.mark.parametrize("noise", NOISES)
def test_noise(noise: str, record_property: Callable[[str, object], None]) -> None:
    table = rows(noise)
    recovered = wrong = plain = 0
    for raw, region, truth in table:
        number = read_number(raw, region)
        recovered += number.e164 == truth.e164
        wrong += number.validity is Validity.VALID and number.e164 != truth.e164
        plain += plainly(raw, region) == truth.e164

    shares = [100 * count / len(table) for count in (recovered, wrong, plain)]
    record_property("recovered, wrong, plain (%)", shares)

    assert len(table) == 800
    assert shares[0] >= BOUNDS[noise][0], shares
    assert shares[1] <= BOUNDS[noise][1], shares

    if noise in MUCH_BETTER:
        assert shares[0] >= shares[2] + 15, shares


def test_a_truncated_number_is_no_worse_than_with_plain_phonenumbers() -> None:
    for raw, region, truth in rows("truncated"):
        number = read_number(raw, region)
        if number.validity is Validity.VALID:
            assert number.e164 in (plainly(raw, region), truth.e164)


def test_two_numbers_count_the_other() -> None:
    table = rows("two numbers")
    other = PhoneNumberFormat.E164
    found = [
        phonenumbers.format_number(truth.other, other) in (*(n := read_number(raw, region)).others, n.e164)
        for raw, region, truth in table
    ]

    assert sum(found) >= 0.97 * len(table)


def test_lost_digits_are_never_a_number() -> None:
    for raw, region, _ in rows("scientific notation"):
        number = read_number(raw, region)
        assert (number.e164, number.reason, number.covers) == (None, ReasonCode.AMBIGUOUS, ())
