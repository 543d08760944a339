"""Text and tables laid out in a given width, without a word that is broken.

A table's row is one line where that fits. Where it does not, cells go on below between words; and where a column would
be too narrow for that, each row becomes a block with a line for each of its cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

GAP = 2
"""Blanks between columns."""

MOST_LINES = 6
"""Lines on which a row may stand before it is easier to read as a block."""

Row = Sequence[str]


def wrap(text: str, width: int, indent: str | None = None) -> list[str]:
    """Return a text in lines of at most ``width`` columns, but for a word that is longer: that is left in one piece.

    Further lines begin with ``indent``; None takes the blanks in front of the first one.
    """
    body = text.lstrip(" ")
    line = text[: len(text) - len(body)]
    indent = line if indent is None else indent
    lines, is_empty = [], True

    for word in body.split(" "):
        if is_empty or cell_len(line) + 1 + cell_len(word) <= width:
            line = f"{line}{'' if is_empty else ' '}{word}"
        else:
            lines.append(line.rstrip(" "))
            line = indent + word
        is_empty = False
    return [*lines, line.rstrip(" ")]


def lay_out_table(
    columns: Row, rows: Sequence[Row], *, width: int | None, right: Sequence[int] = (), whole: int = 1
) -> tuple[list[str], list[str]]:
    """Return the lines of a table's head, and those of its rows; None as width is all that the cells take.

    ``right`` holds the columns that are aligned right; of the first ``whole`` columns no cell goes on below.
    """
    widths = _find_widths([columns, *rows], width, whole)
    if widths is None:
        return [], list(_blocks(columns, rows, width or 0))

    lines = [line for row in rows for line in _lines_of(row, widths, right)]
    return list(_lines_of(columns, widths, right)), lines


def _find_widths(rows: Sequence[Row], width: int | None, whole: int) -> list[int] | None:
    """Return the width of each column, or None where the rows are better read as blocks."""
    cells = list(zip(*rows, strict=True))
    natural = [max(map(cell_len, column)) for column in cells]
    room = None if width is None else width - GAP * (len(natural) - 1)
    if room is None or sum(natural) <= room:
        return natural

    words = [max(cell_len(word) for cell in column for word in cell.split(" ")) for column in cells]
    least = [natural[place] if place < whole else words[place] for place in range(len(natural))]
    if sum(least) > room:
        return None

    widths = _share_out(natural, least, room)
    deepest = max(len(wrap(cell, widths[place])) for place, column in enumerate(cells) for cell in column)
    return widths if deepest <= MOST_LINES else None


def _share_out(natural: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Return widths between the least and the natural ones: what is left goes first to those that lack least."""
    widths, left = list(least), room - sum(least)
    order = sorted(range(len(widths)), key=lambda place: natural[place] - least[place])
    for done, place in enumerate(order):
        more = min(natural[place] - least[place], left // (len(order) - done))
        widths[place] += more
        left -= more
    return widths


def _lines_of(row: Row, widths: Sequence[int], right: Sequence[int]) -> Iterator[str]:
    parts = [wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
    for depth in range(max(map(len, parts))):
        texts = [part[depth] if depth < len(part) else "" for part in parts]
        yield (" " * GAP).join(map(_align, range(len(texts)), texts, widths, [right] * len(texts))).rstrip(" ")


def _align(place: int, text: str, width: int, right: Sequence[int]) -> str:
    blanks = " " * max(0, width - cell_len(text))
    return blanks + text if place in right else text + blanks


def _blocks(columns: Row, rows: Sequence[Row], width: int) -> Iterator[str]:
    """Yield each row as lines of ``heading  cell``; cells without content are left out."""
    margin = max(map(cell_len, columns)) + GAP
    for row in rows:
        for place, (heading, cell) in enumerate(zip(columns, row, strict=True)):
            if not cell:
                continue
            indent = " " * GAP if place else ""
            head = indent + heading + " " * (margin - cell_len(heading))
            if cell_len(head) + max(map(cell_len, cell.split(" "))) <= width:
                yield from wrap(head + cell, width, " " * cell_len(head))
            else:
                yield (indent + heading).rstrip(" ")
                yield from wrap(indent + " " * GAP + cell, width)
