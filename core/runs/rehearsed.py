"""What a dry run has handled: it writes nothing, and so a record stays due however often it comes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ..decisions.due_record import DueRecord


class Rehearsed:
    """Remembers, for the objects that may bring a record twice, which records were handled.

    A run that writes names no object: what it has written is no longer due.
    """

    def __init__(self, objects: Iterable[str] = ()) -> None:
        self._handled: dict[str, set[str]] = {name: set() for name in objects}

    def new(self, records: Sequence[DueRecord]) -> list[DueRecord]:
        """Return the records that were not handled yet, and remember them."""
        if not self._handled:
            return list(records)
        found = [each for each in records if each.view.record.id not in self._ids(each.view.record.object)]
        for record in found:
            if (handled := self._handled.get(record.view.record.object)) is not None:
                handled.add(record.view.record.id)
        return found

    def _ids(self, object_name: str) -> Collection[str]:
        return self._handled.get(object_name, ())
