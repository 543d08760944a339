"""Columns that are not used and yet say *Do not call* somewhere behind the sample by which the columns were found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from .headers import is_flag
from .roles import ColumnRole, preview_cell

MOST_TEXTS = 1_000
"""Different texts of a column that are looked at; one with more of them holds names or remarks, and no flags."""


class OverlookedFlags:
    """Watches the unused columns of a file, of which nothing was said yet, while it is screened."""

    def __init__(self, roles: Iterable[ColumnRole]) -> None:
        self._seen: dict[int, set[str]] = {role.index: set() for role in roles if not role.role and not role.is_warning}
        self._names = {role.index: role.name for role in roles}
        self._found: dict[int, str] = {}

    def watch(self, rows: Sequence[Sequence[str]]) -> None:
        """Look at the cells of a batch of rows; each text of a column is looked at once."""
        for index, seen in list(self._seen.items()):
            new = {row[index] for row in rows if index < len(row)} - seen
            seen.update(islice(new, MOST_TEXTS - len(seen)))
            if flag := next(filter(is_flag, new & seen), None):
                self._found[index] = flag
            if flag or len(seen) >= MOST_TEXTS:
                del self._seen[index]

    def notes(self) -> Iterator[str]:
        """Yield what a user should know of the columns in which an opt-out was found, in their order."""
        for index, flag in sorted(self._found.items()):
            name = self._names[index]
            yield f"Column {name!r}: not used, but a cell says {preview_cell(flag)!r}; --opt-out takes it."
