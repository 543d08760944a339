"""Opt-outs of a file: who said so, and which numbers that covers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache

from ringfence.core.decisions.coverage import find_covered
from ringfence.core.model.verdicts import OptOut, judge, offline_facts, with_opt_out
from ringfence.core.numbers import Number, mask, read_number

from .screener import Cell, CellVerdict

_YES = frozenset({
    "true", "t", "yes", "y", "1", "1.0", "x", "✓", "✔", "on", "checked", "opted out", "opt out", "optout", "dnc",
    "do not call", "ja", "j", "oui", "o", "si", "sí", "s", "sim", "tak", "да", "是", "はい",
    "wahr", "vrai", "verdadero",
})  # fmt: skip
_NO = frozenset({
    "", "false", "f", "no", "n", "0", "0.0", "-", "off", "none", "null", "nein", "non", "não", "nao", "nie", "нет",
    "否",    "いいえ", "falsch", "faux", "falso", "n/a", "opted in", "opt in",
})  # fmt: skip
_SEPARATORS = str.maketrans("", "", " ()+-./")
_ENDING = 6
_SINCE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*")


@lru_cache(maxsize=1024)
def reads_as_flag(text: str) -> bool:
    """Return whether a cell says yes or no, in one of its many spellings."""
    return is_flag(text) or text.strip().casefold() in _NO


@lru_cache(maxsize=1024)
def is_flag(text: str) -> bool:
    """Return whether a cell says that somebody opted out; the date since when says so too."""
    said = text.strip().casefold()
    return said in _YES or _SINCE.fullmatch(said) is not None


@dataclass(slots=True)
class OptOuts:
    """The opt-outs of one file, collected before any of its numbers is screened.

    ``numbers`` holds each opted-out number once, as E.164: about 120 bytes each, so a million of them take 120 MB.
    ``unread`` counts cells of the opt-out columns that say neither yes nor no; they opt nobody out.
    """

    columns: tuple[int, ...]
    phones: tuple[int, ...]
    now: datetime
    numbers: set[str] = field(default_factory=set)
    rows: int = 0
    unread: int = 0
    _endings: bytearray = field(default_factory=lambda: bytearray(10**_ENDING))

    def is_flagged(self, row: Sequence[str]) -> bool:
        """Return whether the row itself asks for silence."""
        return any(column < len(row) and is_flag(row[column]) for column in self.columns)

    def take_in(self, row: Sequence[str], region: str | None) -> None:
        """Collect the numbers of a row that asks for silence: all numbers in all its phone cells."""
        said = [row[column] for column in self.columns if column < len(row) and row[column]]
        if not said:
            return
        self.unread += sum(not reads_as_flag(text) for text in said)
        if not any(map(is_flag, said)):
            return
        self.rows += 1
        for column in self.phones:
            if column < len(row):
                found = read_number(row[column], region).all_e164s()
                self.numbers.update(found)
                for e164 in found:
                    self._endings[int(e164[-_ENDING:])] = 1

    def judge(self, cell: Cell, *, flagged: bool) -> CellVerdict | None:
        """Return the verdict on a cell that an opt-out covers; None when none does.

        In a row that asks for silence every cell is covered, also one whose number could not be read: nobody may
        dial it after reading it better than we did.
        """
        if not flagged and not self._may_cover(cell[0]):
            return None
        number = read_number(*cell)
        if flagged:
            return self._verdict(number, OptOut.OWN)
        found = find_covered(number.all_e164s(), self.numbers)
        if found is None:
            return None
        return self._verdict(number, OptOut.SHARED, "" if found == number.e164 else mask(found))

    def review(self, cell: Cell, verdict: CellVerdict | None) -> CellVerdict | None:
        """Return the screener's verdict, or ours where it found the cell to hold a number that opted out."""
        if verdict is None or verdict.e164 not in self.numbers:
            return verdict
        return replace(self._verdict(read_number(*cell), OptOut.SHARED), e164=verdict.e164)

    def _may_cover(self, text: str) -> bool:
        """Spare most cells the reading: a cell of plain digits holds the ending of the number that it is read as."""
        digits = text.translate(_SEPARATORS)
        if not (digits.isascii() and digits.isdigit() and 8 < len(digits) < 40):
            return True
        return any(self._endings[int(digits[at : at + _ENDING])] for at in range(len(digits) - _ENDING + 1))

    def _verdict(self, number: Number, opt_out: OptOut, opted_out_via: str = "") -> CellVerdict:
        facts = with_opt_out(offline_facts(number, self.now), opt_out, self.now, opted_out_via)
        return CellVerdict.of(judge(facts), number)
