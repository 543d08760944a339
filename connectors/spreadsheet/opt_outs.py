"""The opt-outs of a file: which rows opted out, and which numbers that covers in all rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache

from ringfence.core.decisions.coverage import find_opt_out
from ringfence.core.model.verdicts import OptOut, judge, offline_facts, with_opt_out
from ringfence.core.numbers import Number, read_number

from .screener import Cell, CellVerdict

_YES = frozenset({
    "true", "t", "yes", "y", "1", "1.0", "x", "✓", "✔", "on", "checked", "opted out", "opt out", "optout", "dnc",
    "do not call", "ja", "j", "oui", "o", "si", "sí", "s", "sim", "tak", "да", "是", "はい",
    "wahr", "vrai", "verdadero",
})  # fmt: skip
_NO = frozenset({
    "", "false", "f", "no", "n", "0", "0.0", "-", "off", "none", "null", "nein", "non", "não", "nao", "nie", "нет",
    "否", "いいえ", "falsch", "faux", "falso", "n/a", "opted in", "opt in",
})  # fmt: skip
_SEPARATORS = str.maketrans("", "", " ()+-./")
_ENDING = 6  # digits; a table of all their values takes a megabyte
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*")


@lru_cache(maxsize=1024)
def reads_as_flag(text: str) -> bool:
    """Return whether a cell can be read as yes or no, in one of the many spellings of either."""
    return is_flag(text) or text.strip().casefold() in _NO


@lru_cache(maxsize=1024)
def is_flag(text: str) -> bool:
    """Return whether a cell reads as yes: this person opted out. A date counts too: it is the day of the opt-out."""
    word = text.strip().casefold()
    return word in _YES or _DATE.fullmatch(word) is not None


@dataclass(slots=True)
class OptOuts:
    """The opt-outs of one file, collected before any of its numbers is screened.

    ``numbers`` holds each opted-out number once, as E.164: about 120 bytes each, so a million of them take 120 MB.
    ``rows`` counts the rows that opted out, ``unclear`` the cells of the opt-out columns that read as neither yes nor
    no and opt nobody out. ``columns`` and ``phones`` are the places of the opt-out and the phone columns; ``now`` is in
    whole seconds UTC.
    """

    columns: tuple[int, ...]
    phones: tuple[int, ...]
    now: datetime
    numbers: set[str] = field(default_factory=set)
    rows: int = 0
    unclear: int = 0
    _endings: bytearray = field(default_factory=lambda: bytearray(10**_ENDING))

    def is_flagged(self, row: Sequence[str]) -> bool:
        """Return whether the row itself opted out."""
        return any(column < len(row) and is_flag(row[column]) for column in self.columns)

    def collect(self, row: Sequence[str], region: str | None) -> None:
        """Add the numbers of a row that opted out: all numbers in all its phone cells.

        ``region`` is the ISO region that reads the row's national numbers.
        """
        flags = [row[column] for column in self.columns if column < len(row) and row[column]]
        if not flags:
            return
        self.unclear += sum(not reads_as_flag(text) for text in flags)
        if not any(map(is_flag, flags)):
            return

        self.rows += 1
        for column in self.phones:
            if column < len(row):
                found = read_number(row[column], region).all_e164s()
                self.numbers.update(found)
                for key in found:
                    # The key of an unreadable cell may end in something else than digits; no plain cell holds that.
                    if (ending := key[-_ENDING:]).isdecimal() and len(ending) == _ENDING:
                        self._endings[int(ending)] = 1

    def silence(self, cell: Cell, *, flagged: bool) -> CellVerdict | None:
        """Return the verdict on a cell that an opt-out covers; None where none does.

        ``flagged`` tells that the cell's own row opted out: then every cell of it is covered, also one whose number
        could not be read, so that nobody dials it after reading it better than we did.
        """
        if not flagged and not self._may_hold_covered(cell[0]):
            return None

        number = read_number(*cell)
        if flagged:
            return self._verdict(number, OptOut.OWN)
        facts = find_opt_out(number, self.numbers, self.now)
        return CellVerdict.of(judge(facts), number) if facts else None

    def enforce(self, cell: Cell, verdict: CellVerdict | None) -> CellVerdict | None:
        """Return the screener's verdict on a cell, or ``do_not_contact`` where it read a number that opted out."""
        if verdict is None or verdict.e164 not in self.numbers:
            return verdict
        return replace(self._verdict(read_number(*cell), OptOut.SHARED), e164=verdict.e164)

    def _may_hold_covered(self, text: str) -> bool:
        """Return False where a cell surely holds no covered number, which spares most cells a second reading.

        Whatever number plain digits are read as, its last six digits stand in the cell.
        """
        digits = text.translate(_SEPARATORS)
        if not (digits.isascii() and digits.isdigit() and 8 < len(digits) < 40):
            return True

        return any(self._endings[int(digits[at : at + _ENDING])] for at in range(len(digits) - _ENDING + 1))

    def _verdict(self, number: Number, opt_out: OptOut) -> CellVerdict:
        facts = with_opt_out(offline_facts(number, self.now), opt_out, self.now)
        return CellVerdict.of(judge(facts), number)
