"""How a CSV file separates and quotes its cells."""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

DELIMITERS = (",", ";", "\t", "|")
MAX_RECORD = 4 * 1024 * 1024
"""Characters of one record: where there are more, a closing quotation mark is missing."""

_SEP_LINE = re.compile(r"sep=(.)[\r\n]*", re.IGNORECASE)
_SAMPLE_ROWS = 200
# What stands inside names, numbers, dates and addresses.
_COMMON = frozenset(" +-()./@_'\"&,;|")


@dataclass(frozen=True)
class Dialect:
    """One way of writing CSV.

    ``skip_space`` tells that spaces may stand in front of a quotation mark, ``quote_all`` that every cell is in quotes,
    ``sep_line`` that Excel's line ``sep=;`` comes first.
    """

    delimiter: str = ","
    quote: str = '"'
    escape: str | None = None
    skip_space: bool = False
    quote_all: bool = False
    sep_line: bool = False

    def read(self, lines: Iterable[str], *, strict: bool = False) -> Iterable[list[str]]:
        """Return the standard library's reader over lines that keep their ends, with room for large cells."""
        csv.field_size_limit(MAX_RECORD)
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote,
            escapechar=self.escape,
            skipinitialspace=self.skip_space,
            strict=strict,
        )

    def split(self, body: str) -> list[str]:
        """Return the cells of one record as written, quotes included; joined by the delimiter they are the record."""
        cells, position = [], 0
        while True:
            match = self._cell.match(body, position)
            end = match.end() if match else len(body)
            cells.append(body[position:end])
            if end >= len(body):
                return cells
            position = end + 1

    def is_plain(self, text: str) -> bool:
        """Return whether a text is written without quotes in this file."""
        return not self.quote_all and self._special.search(text) is None

    def write(self, cell: str) -> str:
        """Return a text as a cell of this file, quoted and escaped where that is needed."""
        if self.is_plain(cell):
            return cell
        if self.escape:
            cell = cell.replace(self.escape, self.escape * 2)
        return self.quote + cell.replace(self.quote, self.quote * 2) + self.quote

    @cached_property
    def _cell(self) -> re.Pattern[str]:
        """Match one cell as written; the possessive quantifiers keep it linear on broken quoting."""
        quote, escaped = re.escape(self.quote), f"|{re.escape(self.escape)}." if self.escape else ""
        stop, halt = (re.escape(text + (self.escape or "")) for text in (self.delimiter, self.quote))
        space = " *" if self.skip_space else ""
        quoted = f"{space}{quote}(?:[^{halt}]|{quote}{quote}{escaped})*+{quote}?"
        return re.compile(f"(?:{quoted})?(?:[^{stop}]{escaped})*+", re.DOTALL)

    @cached_property
    def _special(self) -> re.Pattern[str]:
        special = re.escape(self.delimiter + self.quote + (self.escape or ""))
        return re.compile(rf"[{special}\r\n]")


def detect_dialect(sample: str, *, complete: bool, delimiter: str | None = None) -> Dialect:
    """Return the dialect by which the rows of the sample have the most even widths.

    ``sample`` is the first part of the file; ``complete`` tells that it is the whole. A named delimiter wins, then a
    ``sep=`` line, then the evenest of comma, semicolon, tab and pipe, then any other sign that cuts every row into the
    same number of cells; a file of one column counts as comma-separated.
    """
    lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", sample)
    if not complete and len(lines) > 1:
        lines.pop()
    sep = _SEP_LINE.fullmatch(lines[0]) if lines else None
    if sep:
        lines = lines[1:]

    named = delimiter or (sep[1] if sep else None)
    body = "".join(lines)
    best = max(_candidates(body, lines, named), key=lambda dialect: _evenness(dialect, lines))
    if not named and _evenness(best, lines) <= 0:
        best = _rare_dialect(lines) or best
    return Dialect(
        best.delimiter, best.quote, best.escape, best.skip_space, quote_all=_quotes_all(best, lines), sep_line=bool(sep)
    )


def _candidates(body: str, lines: Sequence[str], named: str | None) -> Iterable[Dialect]:
    """Yield the dialects to try, plain ones first, because the first of equals wins."""
    delimiters = (named,) if named else DELIMITERS
    # O'Neill is no quoting: single quotes must hug the delimiters all over a file that has no double ones.
    hugging = '"' not in body and sum(line.strip()[:1] == line.strip()[-1:] == "'" for line in lines) * 2 > len(lines)
    quote = "'" if hugging else '"'
    escapes = (None, "\\") if "\\" + quote in body else (None,)
    spaces = (False, True) if re.search(r"[,;|] " + quote, body) else (False,)
    for escape, skip_space, delimiter in itertools.product(escapes, spaces, delimiters):
        yield Dialect(delimiter, quote, escape, skip_space)


def _rare_dialect(lines: Sequence[str]) -> Dialect | None:
    """Return the dialect of an unusual delimiter such as ``^``, or None where no sign cuts all rows evenly."""
    filled = [line for line in lines if line.strip()]
    if len(filled) < 2:
        return None
    signs = dict.fromkeys(sign for sign in filled[-1] if sign.isprintable() and not sign.isalnum())
    rare = [Dialect(sign) for sign in signs if sign not in _COMMON]
    best = max(rare, key=lambda dialect: _evenness(dialect, filled), default=None)
    return best if best and _is_even(best, filled) else None


def _is_even(dialect: Dialect, lines: Sequence[str]) -> bool:
    """Return whether all rows, titles above the header aside, have the same number of cells, and more than one."""
    try:
        widths = [len(row) for row in itertools.islice(dialect.read(lines), _SAMPLE_ROWS) if row]
    except csv.Error:
        return False
    table = _without_titles(widths)
    return len(table) > 1 and len(table) * 2 > len(widths) and len(set(table)) == 1


def _without_titles(widths: Sequence[int]) -> list[int]:
    """Return the widths of the rows from the first on that has more than one cell."""
    return list(itertools.dropwhile(lambda width: width == 1, widths))


def _evenness(dialect: Dialect, lines: Sequence[str]) -> float:
    """Return the share of rows with the commonest width: less for few columns, half where the first row differs.

    Titles above the table count as a first row that differs, and no further.
    """
    try:
        rows = itertools.islice(dialect.read(lines), _SAMPLE_ROWS)
        widths = [len(row) for row in rows if row]
    except csv.Error:
        return -1.0
    if not widths:
        return 0.0
    table = _without_titles(widths) or widths
    width, count = Counter(table).most_common(1)[0]
    return (count / len(table)) * (1 - 1 / width) * (1.0 if widths[0] == width else 0.5)


def _quotes_all(dialect: Dialect, lines: Sequence[str]) -> bool:
    """Return whether every cell of the first line is in quotes; a line further down may be the middle of a cell."""
    cells = dialect.split(lines[0].rstrip("\r\n")) if lines else [""]
    return all(cell.lstrip(" ").startswith(dialect.quote) for cell in cells)
