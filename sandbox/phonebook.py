"""Made-up phone numbers and the many ways in which people type them into a CRM.

`countries.json` lists the ranges. Where a regulator reserves numbers for fiction they come first: NANPA 555-0100 to
555-0199, Ofcom's drama numbers, ARCEP, ACMA, Bundesnetzagentur and PTS. Elsewhere, and where those run out, the last
digits of the example numbers of libphonenumber are varied, and in crowds far beyond 100,000 people some digits more.
"""

import json
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from random import Random
from typing import Any

STRIDE = 7919
"""Prime, so stepping by it visits every number of a decimal range once, in an order that looks random."""

WIDENED = 3
"""How many digits more are varied once all ranges are used up; every number stays valid, most are held once."""

TIDY = ("plus", "spaced", "national", "dotted", "brackets")
MESSY = ("double_zero", "trunk_zero", "extension", "two_numbers", "suffix", "spreadsheet", "thin_space", "no_plus")


@dataclass(frozen=True, slots=True)
class Number:
    """One made-up number: calling `code`, `area` code and the `rest` of the national number, digits only."""

    country: "Country"
    area: str
    rest: str

    @property
    def e164(self) -> str:
        """The number as `+` and digits."""
        return f"+{self.country.code}{self.area}{self.rest}"


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers of `area` + `head` + a counter of `digits` digits; the areas take turns."""

    areas: list[str]
    head: str
    digits: int

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return len(self.areas) * int(10**self.digits)

    def number(self, country: "Country", position: int) -> Number:
        """Return the number at `position` (below `size`)."""
        turn, area = divmod(position, len(self.areas))
        tail = (turn + 7 * area) * STRIDE % int(10**self.digits)
        return Number(country, self.areas[area], f"{self.head}{tail:0{self.digits}d}")

    def widened(self) -> "Range":
        """Return a range that varies digits of the head too; its first one stays where there are others."""
        more = min(WIDENED, max(1, len(self.head) - 1))
        return Range(self.areas, self.head[: len(self.head) - more], self.digits + more)


@dataclass(slots=True)
class Country:
    """A numbering plan with its fictional ranges ("landline", "mobile") and typical names."""

    iso: str
    name: str
    code: str
    trunk: str
    exit: str
    weight: int
    first: list[str]
    last: list[str]
    ranges: dict[str, list[Range]]
    used: dict[str, int] = field(default_factory=dict)

    def draw(self, kind: str) -> Number:
        """Take the next number of `kind`; after the last one of the country's ranges those of a wider one follow.

        A country whose mobiles look like its landlines (NANP) has one series for both.
        """
        kind = kind if self.ranges[kind] else "landline"
        position = self.used.get(kind, 0)
        self.used[kind] = position + 1
        ranges = self.ranges[kind]
        for each in ranges:
            if position < each.size:
                return each.number(self, position)
            position -= each.size
        wider = ranges[-1].widened()
        return wider.number(self, position % wider.size)


@cache
def _rows() -> list[dict[str, Any]]:
    text = resources.files(__package__).joinpath("countries.json").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = json.loads(text)
    return rows


def countries() -> list[Country]:
    """Return all countries with their counters at the first number."""
    return [_country(row) for row in _rows()]


def _country(row: dict[str, Any]) -> Country:
    plan = {key: row[key] for key in ("iso", "name", "code", "trunk", "exit", "weight")}
    ranges = {kind: _expand(row[kind]) for kind in ("landline", "mobile")}

    return Country(**plan, first=_names(row["first"]), last=_names(row["last"]), ranges=ranges)


@cache
def country_names() -> dict[str, str]:
    """Return ISO 3166 code -> English name, for CRMs that hold the country as text."""
    return {row["iso"]: row["name"] for row in _rows()}


def _names(text: str) -> list[str]:
    return text.split("," if "," in text else " ")


def _expand(ranges: list[dict[str, Any]]) -> list[Range]:
    return [Range(row["areas"].split(), row["head"], row["digits"]) for row in ranges]


def spell(number: Number, style: str, rng: Random, other: Number) -> str:
    """Write `number` in one of the styles of TIDY and MESSY; `other` is the second number of "two_numbers"."""
    if style in TIDY:
        return _tidy(number, style)

    code, area, rest = number.country.code, number.area, number.rest
    match style:
        case "double_zero":
            return f"{number.country.exit} {code} {area} {' '.join(_blocks(rest))}"
        case "trunk_zero":
            return f"+{code} (0){area} {rest}" if number.country.trunk else f"+{code} {area} {rest}"
        case "extension":
            return f"+{code} {area} {rest} {rng.choice(('ext. 214', 'x4410', 'Ext 7'))}"
        case "two_numbers":
            return f"{number.e164} {rng.choice(('/', 'or', ';'))} {other.e164}"
        case "suffix":
            return f"+{code} {area} {rest} {rng.choice(('(mobile)', '(work)', 'home', '- ask for Jo'))}"
        case "spreadsheet":
            # A float has lost the zero of the trunk prefix; where the zero belongs to the number the code keeps it.
            return f"{code if area.startswith('0') else ''}{area}{rest}.0"
        case "thin_space":
            return f"+{code}\u2009{area}\u2009{rest[:3]}\u2013{rest[3:]}"
        case "no_plus":
            return f"{code}{area}{rest}"

    raise ValueError(f"no such spelling: {style}")


def _tidy(number: Number, style: str) -> str:
    country, blocks = number.country, _blocks(number.rest)
    match style:
        case "plus":
            return number.e164
        case "spaced":
            return f"+{country.code} {number.area} {' '.join(blocks)}"
        case "national":
            return f"{country.trunk}{number.area} {' '.join(blocks)}"
        case "dotted":
            return ".".join([f"{country.trunk}{number.area}", *blocks])
        case _:
            return f"({country.trunk}{number.area}) {'-'.join(blocks)}"


def _blocks(rest: str) -> list[str]:
    """Return the digits after the area code in blocks, as people write them: one (up to five digits), two or three."""
    if len(rest) <= 5:
        return [rest]
    if len(rest) == 9:
        return [rest[:3], rest[3:6], rest[6:]]
    half = len(rest) // 2
    return [rest[:half], rest[half:]]
