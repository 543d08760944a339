"""Invented phone cells: such as a CRM holds, and such as try a reader. Seeded, so every run has the same."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

Cell = tuple[str, str]
"""A text, and the region that reads it."""

ALL_REGIONS = tuple(sorted(phonenumbers.SUPPORTED_REGIONS))
MIXED_REGIONS = (
    *("US", "GB", "DE", "FR", "ES", "IT", "NL", "BE", "AT", "CH", "SE", "NO", "DK", "FI", "PL", "CZ", "PT"),
    *("IE", "GR", "HU", "RO", "IN", "CN", "JP", "KR", "AU", "NZ", "BR", "MX", "AR", "ZA", "TR", "IL", "CA"),
)
_TYPES = range(PhoneNumberType.FIXED_LINE, PhoneNumberType.VOICEMAIL + 1)
# Of ten contacts six have a mobile, three a landline.
_USUAL_TYPES = (*[PhoneNumberType.MOBILE] * 6, *[PhoneNumberType.FIXED_LINE] * 3, PhoneNumberType.TOLL_FREE)
_USUAL_FORMS = (*[PhoneNumberFormat.NATIONAL] * 3, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.E164)
_MESSY_SHARE = 0.17
_DIGITS = "0123456789"
_PREFIXES = ("", "0", "1", "8", "06", "15", "00", "011", "810", "0014", "119", "183", "+", "++", "+0", "(0)", "tel:")
_PIECES = (
    " ",
    "-",
    ".",
    "/",
    " / ",
    "(",
    ")",
    " ext. ",
    " x",
    "#",
    ";ext=",
    ",",
    "\u2009",
    "\u2013",
    "\u200b",
    "a",
    "~",
)
_LETTERS = ("\u200b", "FLOWERS", "abc", "home", "O", "\u0661\u0662\u0663", "\uff11\uff12")


def contact_cells(regions: Sequence[str], count: int) -> list[Cell]:
    """Return cells as in a CRM: 17 in 100 have a label, an extension, odd separators or missing digits."""
    dice = random.Random(f"{regions} {count}")
    return [(_contact_cell(dice, region), region) for region in dice.choices(regions, k=count)]


def _contact_cell(dice: random.Random, region: str) -> str:
    number = _draw(dice, region)
    text = phonenumbers.format_number(number, dice.choice(_USUAL_FORMS))
    if dice.random() >= _MESSY_SHARE:
        return text
    other = phonenumbers.format_number(_draw(dice, region), PhoneNumberFormat.INTERNATIONAL)
    return dice.choice(
        (
            *(f"{text} (mobile)", f"Tel: {text}", f"{text} home", f"{text} ext. 12", f"{text} x123"),
            *(text.replace(" ", "\u2009"), text.replace("-", "\u2013"), f"{text} / {other}", text[:-2], "n/a"),
        )
    )


def _draw(dice: random.Random, region: str) -> PhoneNumber:
    """Return a valid number of a region, or its example number when twenty throws give none."""
    example = phonenumbers.example_number_for_type(region, dice.choice(_USUAL_TYPES))
    example = example or phonenumbers.example_number(region)
    digits = phonenumbers.national_significant_number(example)

    for _ in range(20):
        kept = digits[: len(digits) - dice.choice((4, 6, len(digits) - 1))]
        tail = "".join(dice.choices(_DIGITS, k=len(digits) - len(kept)))
        number = phonenumbers.parse(f"+{example.country_code}{kept}{tail}")
        if phonenumbers.is_valid_number(number):
            return number

    return example


def example_cells() -> Iterator[Cell]:
    """Yield the example number of every type and region as people write it, and mutations of each."""
    dice = random.Random(1)
    for region in ALL_REGIONS:
        for kind in _TYPES:
            number = phonenumbers.example_number_for_type(region, kind)
            if number is None:
                continue
            national = phonenumbers.national_significant_number(number)
            for form in (PhoneNumberFormat.NATIONAL, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.E164):
                text = phonenumbers.format_number(number, form)
                yield text, region
                yield text, dice.choice(ALL_REGIONS)
                for _ in range(10):
                    yield _mutated(dice, text), region
            for prefix in _PREFIXES:
                yield f"{prefix}{national}", region
                yield f"{prefix}{number.country_code}{national}", region
                yield f"{prefix}{_mutated(dice, national)}", region


def generated_cells(count: int) -> Iterator[Cell]:
    """Yield texts of digits, prefixes and what stands around and between them."""
    dice = random.Random(2)
    codes = [str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE]

    for _ in range(count):
        digits = "".join(dice.choices(_DIGITS, k=dice.randrange(17)))
        text = dice.choice(_PREFIXES) + dice.choice(("", dice.choice(codes))) + digits
        for _ in range(dice.choice((0, 0, 1, 2, 4))):
            at = dice.randrange(len(text) + 1)
            text = text[:at] + dice.choice((*_PIECES, *_PIECES, *_LETTERS)) + text[at:]
        yield text, dice.choice(ALL_REGIONS)


def _mutated(dice: random.Random, text: str) -> str:
    for _ in range(dice.randint(1, 2)):
        at, digit = dice.randrange(len(text)), dice.choice(_DIGITS)
        text = text[:at] + dice.choice((digit + text[at:], digit + text[at + 1 :], text[at + 1 :])) or digit
    return text
