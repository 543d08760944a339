"""What each column of a file was taken for, why, and what it nearly was: for the preview."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ringfence.core.numbers import mask

from . import headers
from .columns import FoundColumn, Sample, is_check_date, looks_like_number
from .companions import is_companion
from .dial_codes import CodeColumn, DialCodes
from .words import names

PREVIEW_WIDTH = 40
_EXAMPLES = 2
_NO_PHONE = "a dialling code, but of no phone column beside it"
_PLAIN_DATE = re.compile(r"\s*(\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./]\d{4})([T ]\d\d:\d\d(:\d\d)?Z?)?\s*")


@dataclass(frozen=True, slots=True)
class ColumnRole:
    """What a column was taken for: ``role`` is empty where it is not used, and ``why`` then tells what it nearly was.

    ``examples`` are its first filled cells, shortened and masked. ``is_warning`` tells that an opt-out may be missed.
    """

    index: int
    name: str
    role: str
    why: str
    examples: tuple[str, ...]
    is_warning: bool = False


def describe_columns(
    sample: Sample,
    phones: Sequence[FoundColumn],
    country: FoundColumn | None,
    opt_outs: Sequence[FoundColumn],
    code_columns: Sequence[CodeColumn],
    codes: Mapping[int, DialCodes],
) -> tuple[ColumnRole, ...]:
    """Return the role of each column, in order. ``codes`` holds the dialling codes of the phone columns, by place."""
    taken: dict[int, tuple[str, str]] = {}
    for code in code_columns:
        role = "calling code" if code.calling else "area code"
        whose = [sample.columns[phone] for phone, its in codes.items() if code.index in (its.calling, its.area)]
        taken[code.index] = (
            (role, f"joined with {_list(whose)}")
            if whose
            else ("", "a dialling code, but of no phone column beside it")
        )

    if country:
        taken[country.index] = ("country", _explain(country, "countries", is_filled=bool(sample.cells(country.index))))
    for column in opt_outs:
        taken[column.index] = ("may call" if column.inverse else "opt-out", _explain_flag(column))
    for column in phones:
        taken[column.index] = ("phone", _explain(column, "numbers", is_filled=bool(sample.cells(column.index))))

    return tuple(_describe(sample, index, taken, country) for index in range(len(sample.columns)))


def preview_cell(cell: str) -> str:
    """Return a cell as it may be shown: numbers masked, long texts shortened, nothing that a terminal would obey."""
    if sum(map(str.isdecimal, cell)) > 5 and not _PLAIN_DATE.fullmatch(cell):
        return mask(cell)
    shown = "".join(character if character.isprintable() else " " for character in cell[:PREVIEW_WIDTH])
    return shown + "…" if len(cell) > PREVIEW_WIDTH else shown


def _describe(
    sample: Sample, index: int, taken: Mapping[int, tuple[str, str]], country: FoundColumn | None
) -> ColumnRole:
    name, cells = sample.columns[index], sample.cells(index)
    examples = tuple(map(preview_cell, dict.fromkeys(cells[:100])))[:_EXAMPLES]
    if index in taken:
        return ColumnRole(index, name, *taken[index], examples)
    if is_companion(name):
        return ColumnRole(index, name, "ours", "written by a screening; updated where its column still is", examples)

    for why, is_warning in _near_misses(sample, index, cells, country):
        return ColumnRole(index, name, "", why, examples, is_warning)
    return ColumnRole(index, name, "", "", examples)


def _near_misses(
    sample: Sample, index: int, cells: Sequence[str], country: FoundColumn | None
) -> Iterator[tuple[str, bool]]:
    """Yield what a column that is not used nearly was, the likeliest first, and whether an opt-out may be missed."""
    name = sample.columns[index]
    if headers.names_permission(name) and is_check_date(sample, index):
        yield "nearly an opt-out, but holds the days of checks; --opt-out takes it", True
    if headers.comes_near_opt_out(name) and headers.is_other_channel(name):
        yield "about e-mail, post or texts, not about calls", False
    if names("may_call", name) and names("about_agreement", name):
        yield "about a consent, and holds none", False
    if flag := next((cell for cell in cells if headers.is_flag(cell)), None):
        yield f"not used, but a cell says {preview_cell(flag)!r}; --opt-out takes it", True
    if headers.comes_near_opt_out(name):
        yield "nearly an opt-out; --opt-out takes it", True

    if headers.names_phone(name):
        yield "nearly phones, but few cells hold enough digits; --phone takes it", False
    elif names("phone_words", name):
        yield "about phones, and holds none", False
    elif cells and sum(map(looks_like_number, cells)) * 2 > len(cells):
        yield "not phones by its header, though its cells look like it; --phone takes it", False

    if headers.may_name_country(name):
        yield (
            (f"also countries; {country.name!r} is used" if country else "nearly countries; --country takes it"),
            False,
        )


def _explain(column: FoundColumn, what: str, *, is_filled: bool) -> str:
    if column.by == "named":
        return "named by you"
    how = "by its header" if column.by == "header" else "by its cells"
    return f"{how}; {column.share:.0%} of the cells read as {what}" if is_filled else f"{how}; no cell is filled yet"


def _explain_flag(column: FoundColumn) -> str:
    how = "named by you" if column.by == "named" else "by its header"
    word = "yes" if column.inverse else "no"
    return f"{how}; a filled cell opts out unless it plainly says {word}"


def _list(columns: Sequence[str]) -> str:
    shown = ", ".join(repr(column) for column in columns[:3])
    return f"{shown} and {len(columns) - 3} more" if len(columns) > 3 else shown
