"""The invented people of the sandbox CRMs: from many countries, with the dirty data that real CRMs hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Literal
from unicodedata import normalize

from .phonebook import MESSY, TIDY, Country, Number, countries, spell

CHANNELS = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
"""Lead sources in Salesforce's standard words; the HubSpot stand-in translates them."""

JUNK = ("n/a", "unknown", "12345", "xxx-xxx-1234", "-", "see email", "call the office", "+1 999 555 01{}", "312555xxxx")
"""Cells that hold no number that could exist; the area code 999 has not been handed out."""

LONG_ENOUGH = {"AT", "AU", "DE", "NL", "ZA"}
"""Countries in which five digits may be a whole number."""

SWITCHBOARD = "Fjordlys Energi AS"
"""The one company whose people all have the same number, held by more records than any spread limit's default."""

COMPANIES = (
    "Acme Tools",
    "Brightwater",
    "Café Lumière",
    "Delta Optik",
    "Ember & Oak",
    "Fjällräven Data",
    "Grünwald Bau",
    "Harbour Legal",
)

# The shape of the data, as shares of all people unless said otherwise.
DUPLICATE = 0.04
JUNK_SHARE = 0.03
OPTED_OUT = 0.02
OPT_OUT_SHARED = 0.4  # of the opted-out numbers are held by a second person who is not opted out
LEAD = 0.25
RECENT, OLD = 0.20, 0.10
HAS_PHONE, HAS_MOBILE = 0.90, 0.50
TIDY_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class Person:
    """One contact or lead.

    `country` is an ISO 3166 code, `channel` one of CHANNELS, `phone` and `mobile` are raw cells, times are aware UTC
    with milliseconds. `screened` says whether ringfence has screened the person before: "recent" under 30 days ago,
    "old" 40 to 200 days ago; `modified` is then the time of that screening, the last change of the record.
    """

    first: str
    last: str
    company: str
    email: str
    country: str
    phone: str | None
    mobile: str | None
    opted_out: bool
    channel: str
    lead: bool
    screened: Literal["never", "recent", "old"]
    created: datetime
    modified: datetime


def people(count: int, *, seed: int = 7, now: datetime) -> Iterator[Person]:
    """Yield `count` people, the same ones for the same arguments; `now` (aware UTC) is the end of their history.

    Up to about 100,000 people a number is held twice only where a duplicate is meant; of the numbers of a million
    people one in fifty is held twice by accident.
    """
    crowd = _Crowd(count, seed, now)
    return (crowd.person(index) for index in range(count))


class _Crowd:
    """The state while people are generated: random source, number ranges used so far, numbers still to be shared."""

    def __init__(self, count: int, seed: int, now: datetime) -> None:
        self.count = count
        self.now = now
        self.rng = Random(seed)  # noqa: S311 -- made-up data, not a secret
        self.countries = countries()
        self.weights = list(accumulate(country.weight for country in self.countries))
        self.by_iso = {country.iso: country for country in self.countries}
        self.shared: list[Number] = []
        self.silenced: list[Number] = []
        self.switchboard = self.by_iso["GB"].draw("landline")
        # A demo of a few dozen people has no room for a switchboard.
        self.switchboard_size = max(30, min(60, count // 60)) if count >= 300 else 0

    def person(self, index: int) -> Person:
        rng = self.rng
        at_switchboard = self._at_switchboard(index)
        country = self.by_iso["GB"] if at_switchboard else rng.choices(self.countries, cum_weights=self.weights)[0]
        opted_out = not at_switchboard and rng.random() < OPTED_OUT
        screened = self._screened()
        phone: Number | None = self.switchboard if at_switchboard else None

        if not at_switchboard:
            phone, doubted = self._phone(country, opted_out)
            screened = "never" if doubted else screened

        country = phone.country if phone else country
        mobile = country.draw("mobile") if rng.random() < HAS_MOBILE else None
        first, last = rng.choice(country.first), rng.choice(country.last)
        company = SWITCHBOARD if at_switchboard else rng.choice(COMPANIES)
        created, modified = self._history(screened)
        junk = phone is None and not opted_out and rng.random() < JUNK_SHARE / (1 - HAS_PHONE)

        return Person(
            first=first,
            last=last,
            company=company,
            email=_email(first, last, index),
            country=country.iso,
            phone=self._junk(country) if junk else self._cell(phone, screened),
            mobile=self._cell(mobile, screened),
            opted_out=opted_out,
            channel=rng.choice(CHANNELS),
            lead=rng.random() < LEAD,
            screened=screened,
            created=created,
            modified=modified,
        )

    def _at_switchboard(self, index: int) -> bool:
        size = self.switchboard_size
        return index * size // self.count != (index + 1) * size // self.count

    def _screened(self) -> Literal["never", "recent", "old"]:
        draw = self.rng.random()
        return "recent" if draw < RECENT else "old" if draw < RECENT + OLD else "never"

    def _phone(self, country: Country, opted_out: bool) -> tuple[Number | None, bool]:
        """Return the number of the phone field, and whether it is held both by an opted-out person and by another.

        Such a person has not been screened yet: the sandbox would otherwise show a verdict that ignores the opt-out.
        """
        rng = self.rng
        if not opted_out and self.silenced:
            return self.silenced.pop(), True
        if rng.random() >= HAS_PHONE:
            return None, False
        if not opted_out and self.shared and rng.random() < DUPLICATE:
            return self.shared.pop(rng.randrange(len(self.shared))), False

        number = country.draw("landline")
        if opted_out:
            doubted = rng.random() < OPT_OUT_SHARED
            if doubted:
                self.silenced.append(number)
            return number, doubted

        if rng.random() < 2 * DUPLICATE:
            self.shared.append(number)
            del self.shared[:-200]

        return number, False

    def _history(self, screened: str) -> tuple[datetime, datetime]:
        rng = self.rng
        days = {"recent": (1, 25), "old": (40, 200), "never": (0.01, 900)}[screened]
        modified = self.now - timedelta(days=rng.uniform(*days))
        created = modified - timedelta(days=rng.uniform(0, 900))
        return _milliseconds(created), _milliseconds(modified)

    def _junk(self, country: Country) -> str:
        cell = self.rng.choice(JUNK)
        if cell == "12345" and country.iso in LONG_ENOUGH:
            return "123"
        # An invalid number, too, is held by a handful of people only.
        return cell.format(f"{self.rng.randrange(100):02d}")

    def _cell(self, number: Number | None, screened: str) -> str | None:
        if number is None:
            return None
        rng = self.rng
        # What has been screened is written so that it can be read in one way only: its old verdict is certain.
        style = rng.choice(TIDY if screened != "never" or rng.random() < TIDY_SHARE else MESSY)
        other = number.country.draw("landline") if style == "two_numbers" else number
        return spell(number, style, rng, other)


def _milliseconds(when: datetime) -> datetime:
    return when.astimezone(UTC).replace(microsecond=when.microsecond // 1000 * 1000)


def _email(first: str, last: str, index: int) -> str:
    plain = normalize("NFKD", f"{first}.{last}").encode("ascii", "ignore").decode().lower()
    kept = "".join(char for char in plain if char.isalnum() or char == ".").strip(".") or "contact"
    return f"{kept}.{index}@example.com"
