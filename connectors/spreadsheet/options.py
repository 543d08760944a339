"""What a user may state about a file; what is not stated is detected."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScreenOptions:
    """What was stated about one file and its result.

    Columns are named as in the header (case does not matter when only one fits) or as ``column_3``. ``region`` is the
    ISO 3166 region of national numbers in rows without a country. ``header`` tells whether there is one and
    ``header_row`` in which row of the file, counted from 1; None has it detected. ``force`` allows an existing result
    to be replaced.
    """

    phones: tuple[str, ...] = ()
    country: str | None = None
    region: str | None = None
    opt_outs: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header: bool | None = None
    header_row: int | None = None
    force: bool = False
