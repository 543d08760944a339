"""Where a number belongs: what providers say of its country beside what they say of its line."""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers
import pycountry
from phonenumbers import PhoneNumberFormat


@dataclass(frozen=True, slots=True)
class Place:
    """A number's country by its ISO 3166 codes and English name, its calling code, and how it is dialled at home."""

    iso2: str
    iso3: str
    name: str
    calling_code: str
    national: str

    @property
    def national_digits(self) -> str:
        """The number as it is dialled at home, in digits alone."""
        return "".join(sign for sign in self.national if sign.isdigit())


def place_of(e164: str) -> Place:
    """Return where a valid E.164 number belongs; codes and name are empty for one of no single country."""
    number = phonenumbers.parse(e164)
    country = pycountry.countries.get(alpha_2=phonenumbers.region_code_for_number(number) or "")
    codes = (country.alpha_2, country.alpha_3, country.name) if country else ("", "", "")
    return Place(*codes, str(number.country_code), phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))
