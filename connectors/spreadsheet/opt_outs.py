"""The opt-outs of a file: which rows opted out, and which numbers that covers in all rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache

from ringfence.core.decisions.coverage import find_opt_out
from ringfence.core.model.verdicts import OptOut, judge, offline_facts, with_opt_out
from ringfence.core.numbers import Number, read_number

from .screener import Cell, CellVerdict
from .words import names, says

_SEPARATORS = str.maketrans("", "", " ()+-./")
_ENDING = 6  # digits; a table of all their values takes a megabyte
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*", re.DOTALL)
_DATE_IN_WORDS = re.compile(
    r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?"
    r"(?:\d{1,2}(?:st|nd|rd|th|\.)?(?: de)?[ -]?([^\W\d_]+)|([^\W\d_]+)\.? ?\d{1,2}(?:st|nd|rd|th)?)"
    r"\.?(?: de)?[ ,-]*\d{2,4}"
    r"(?:[ ,T]+(?:at )?\d[\d:.]*(?: ?[ap]m)?)?",
    re.IGNORECASE,
)
_DAY_NUMBER = re.compile(r"[2-6]\d{4}(?:[.,]\d+)?")  # Excel counts from 1900: 1954 to 2091
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060\u00ad"
_MOST_TEXTS = 1000
_LONGEST_TEXT = 60


@dataclass(frozen=True, slots=True)
class FlagColumn:
    """A column by which rows opt out.

    Under an opt-out ("Do not call") a filled cell opts its row out unless it plainly says no. Under its ``inverse``
    ("Can call") a filled cell opts its row out unless it plainly says yes. An empty cell decides nothing in either.
    ``dated`` tells that the column holds the days on which people agreed, so that a date is a plain yes.
    """

    index: int
    inverse: bool = False
    dated: bool = False

    @classmethod
    def of(cls, index: int, header: str, *, inverse: bool) -> FlagColumn:
        """Return the column under that header."""
        return cls(index, inverse, inverse and names("dated", header) and not names("ended", header))

    def opts_out(self, text: str) -> bool:
        """Return whether a cell of the column opts its row out."""
        return _opts_out(text, self.inverse, self.dated)

    def is_plain(self, text: str) -> bool:
        """Return whether a cell says plainly what it was read as, rather than being read as an opt-out for want of it.

        A date under an opt-out is plain: it is the day on which somebody opted out.
        """
        if not self.opts_out(text) or says("no" if self.inverse else "yes", text):
            return True
        return (is_date(text) and not self.inverse) or says("refused", text) or names("opt_out", text)


def is_date(text: str) -> bool:
    """Return whether a text begins with a date in figures, or is one with the name of its month."""
    if _DATE.fullmatch(text.strip()):
        return True
    found = _DATE_IN_WORDS.fullmatch(" ".join(text[:_LONGEST_TEXT].split()))
    return found is not None and says("month", found[1] or found[2])


def _is_day(text: str) -> bool:
    """Return whether a text is a date, or the number of a day as Excel counts them."""
    return is_date(text) or _DAY_NUMBER.fullmatch(text.strip()) is not None


@lru_cache(maxsize=4096)
def _opts_out(text: str, inverse: bool, dated: bool) -> bool:
    if not text.strip().strip(_INVISIBLE).strip() or says("empty", text):
        return False
    if inverse:
        return not (any(says(meaning, text) for meaning in ("yes", "allowed", "agreed")) or (dated and _is_day(text)))
    return not any(says(meaning, text) for meaning in ("no", "allowed", "nothing"))


@dataclass(slots=True)
class OptOuts:
    """The opt-outs of one file, collected before any of its numbers is screened.

    ``numbers`` holds what the opt-outs cover: each number that the cells of such a row can be read as, once, about 120
    bytes each, so a million of them take 120 MB. ``rows`` counts the rows that opted out. ``unclear`` counts, by their
    text, the cells that opted a row out without saying so plainly. ``now`` is in whole seconds UTC.
    """

    columns: tuple[FlagColumn, ...]
    now: datetime
    numbers: set[str] = field(default_factory=set)
    rows: int = 0
    unclear: Counter[str] = field(default_factory=Counter)
    _endings: bytearray = field(default_factory=lambda: bytearray(10**_ENDING))

    @property
    def known(self) -> int:
        """Return how many of ``numbers`` are numbers; the others are the texts of cells that nobody can read."""
        return sum(key.startswith("+") for key in self.numbers)

    def is_flagged(self, row: Sequence[str]) -> bool:
        """Return whether the row itself opted out."""
        return any(column.index < len(row) and column.opts_out(row[column.index]) for column in self.columns)

    def collect(self, row: Sequence[str], cells: Iterable[Cell | None]) -> None:
        """Take in a row, and where it opted out every number that its phone cells can be read as."""
        flags = [
            (column, row[column.index])
            for column in self.columns
            if column.index < len(row) and column.opts_out(row[column.index])
        ]
        if not flags:
            return

        self.rows += 1
        for column, text in flags:
            if not column.is_plain(text):
                self._note(text)
        for cell in filter(None, cells):
            self._cover(read_number(*cell).all_e164s())

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

    def _note(self, text: str) -> None:
        shown = " ".join(text.split())[:_LONGEST_TEXT]
        if shown in self.unclear or len(self.unclear) < _MOST_TEXTS:
            self.unclear[shown] += 1
        else:
            self.unclear[""] += 1

    def _cover(self, found: Iterable[str]) -> None:
        for key in found:
            self.numbers.add(key)
            # The key of an unreadable cell is its text: a plain cell that is the same ends in the same digits.
            digits = "".join(filter(str.isdecimal, key))
            if len(digits) >= _ENDING:
                self._endings[int(digits[-_ENDING:])] = 1

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
