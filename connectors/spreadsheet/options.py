"""What the user may say about a file; what is left out is detected."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScreenOptions:
    """The words of the command.

    Columns are named as in the header (case does not matter when only one fits) or as ``column_3``. ``region`` is the
    ISO 3166 region of national numbers in rows without a country. ``header`` None means: see whether the first row
    holds numbers. ``force`` allows an existing target to be replaced.
    """

    phones: tuple[str, ...] = ()
    country: str | None = None
    region: str | None = None
    opt_outs: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header: bool | None = None
    force: bool = False
