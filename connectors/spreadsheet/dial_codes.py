"""Calling codes and area codes that stand in columns of their own, joined with the numbers beside them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from ringfence.core.numbers import Validity, read_number
from ringfence.core.numbers.regions import read_region

from .headers import may_name_country
from .screener import Cell
from .words import names

_CODE = re.compile(r"[\s(+/]*\d[\d\s()+/.-]*")
_LONGEST_AREA_CODE = 6
_MOST = 0.8
_INTERNATIONAL = re.compile(r"\s*[(]?\s*(\+|＋|00|011\b)")  # noqa: RUF001 - a full-width plus is typed in East Asia


@dataclass(frozen=True, slots=True)
class CodeColumn:
    """A column of codes: its place and name, and whether they are calling codes of countries or area codes."""

    index: int
    name: str
    calling: bool


@dataclass(frozen=True, slots=True)
class DialCodes:
    """Where the calling code and the area code of a phone column stand, if they have columns of their own."""

    calling: int | None = None
    area: int | None = None

    def join(self, row: Sequence[str], text: str, region: str | None) -> Cell:
        """Return the phone cell of a row as it is to be read: with its area code in front, in the code's country.

        A cell that is written in full already (with a plus, 00, or its own area code) stays as it is.
        """
        region = self._region(row, region)
        area = _cell(row, self.area)
        if not area or _INTERNATIONAL.match(text):
            return text, region

        joined = f"{area} {text.strip()}"
        if _is_complete(text, region) or (_repeats(area, text) and not _is_valid(joined, region)):
            return text, region
        return joined, region

    def _region(self, row: Sequence[str], region: str | None) -> str | None:
        """Return the country of the row's calling code; None where a code cannot be read, as of any unknown country."""
        code = _cell(row, self.calling)
        if not code:
            return region
        return read_calling_code(code) or read_region(code)


def read_calling_code(text: str) -> str | None:
    """Return the ISO 3166 region whose plan reads numbers with that calling code, or None: ``+49``, ``0049`` or ``49``.

    A plan that several countries share is read by the main one, ``001`` being none.
    """
    digits = _digits(text)
    regions = COUNTRY_CODE_TO_REGION_CODE.get(int(digits.removeprefix("00") or 0)) if len(digits) < 7 else None
    return regions[0] if regions and regions[0] != "001" else None


def find_codes(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> list[CodeColumn]:
    """Return the columns of codes, given the names of all columns and a sample of their filled cells."""
    found = (_judge(index, name, filled) for index, (name, filled) in enumerate(zip(columns, cells, strict=True)))
    return [column for column in found if column]


def assign_codes(codes: Sequence[CodeColumn], phones: Sequence[int]) -> dict[int, DialCodes]:
    """Return the codes of each phone column that has any, by its place.

    An area code belongs to the next phone column behind it, a calling code to all of them up to the next calling code;
    a code right behind the last phone column, or anywhere beside the only one, belongs to that one.
    """
    calling: dict[int, int] = {}
    area: dict[int, int] = {}
    for code in sorted(codes, key=lambda code: code.index):
        behind = [phone for phone in sorted(phones) if phone > code.index]
        if not behind:
            behind = [phone for phone in phones if phone == code.index - 1 or len(phones) == 1]
        if code.calling:
            calling.update(dict.fromkeys(behind, code.index))
        elif behind:
            area[behind[0]] = code.index
    return {
        phone: DialCodes(calling.get(phone), area.get(phone)) for phone in phones if phone in calling or phone in area
    }


def _judge(index: int, name: str, filled: Sequence[str]) -> CodeColumn | None:
    says_calling, says_area = names("calling_code", name), names("area_code", name)
    if not (says_calling or says_area or may_name_country(name)) or not filled:
        return None

    codes = [cell for cell in filled if _CODE.fullmatch(cell) and len(_digits(cell)) <= _LONGEST_AREA_CODE]
    if len(codes) < _MOST * len(filled):
        return None

    are_calling = sum(read_calling_code(cell) is not None for cell in codes) >= _MOST * len(codes)
    look_calling = all(_INTERNATIONAL.match(cell) for cell in codes)
    if are_calling and (says_calling or look_calling):
        return CodeColumn(index, name, calling=True)
    return CodeColumn(index, name, calling=False) if says_area else None


def _is_complete(text: str, region: str | None) -> bool:
    """Return whether a number has a trunk prefix of its own, behind which it is valid, so that nothing is missing."""
    return _digits(text).startswith("0") and _is_valid(text, region)


def _repeats(area: str, text: str) -> bool:
    """Return whether a number begins with the area code that stands beside it."""
    code = _digits(area).lstrip("0")
    return bool(code) and _digits(text).startswith(code)


def _is_valid(text: str, region: str | None) -> bool:
    return read_number(text, region).validity is Validity.VALID


def _cell(row: Sequence[str], index: int | None) -> str:
    return row[index].strip() if index is not None and index < len(row) else ""


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdecimal())
