"""What people are asked about opt-out flags that somebody has cleared by hand. Numbers and evidence are encrypted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from ..model.blocks import Channel
from ..model.review_items import ReviewReason
from ..numbers.covers import CELL
from . import schema
from .erased import erased_since
from .holdings import Holding, Key
from .keyring import Keyring
from .review_queue import item_about
from .sql import ids_by_object, in_batches

_Table = schema.review_items
_CLEARED = "the flag for {channel} was cleared by hand"


class OpenReviews:
    """What one account's runs ask people about. Every method works in the caller's transaction."""

    def __init__(self, keyring: Keyring, org_id: int) -> None:
        self._keyring = keyring
        self._org_id = org_id

    def ask_about_cleared(
        self,
        connection: Connection,
        holdings: Iterable[Holding],
        kept: Mapping[Key, AbstractSet[Channel]],
        now: datetime,
    ) -> None:
        """Ask about flags that were cleared by hand on these records, each clearing once.

        It is the same clearing until the flag has gone up again.
        """
        asked = self._find_asked(connection, kept)
        for holding in holdings:
            for channel in sorted(kept[holding[:2]]):
                if (holding[:2], channel) not in asked:
                    self._ask(connection, holding, channel, now)

    def note_raised(self, connection: Connection, records: Iterable[Key]) -> None:
        """Record that flags which had been cleared went up again on these records."""
        for theirs in self._rows_of(records):
            connection.execute(update(_Table).where(*theirs).values(raised_again=True))

    def _find_asked(self, connection: Connection, records: Iterable[Key]) -> set[tuple[Key, Channel]]:
        found: set[tuple[Key, Channel]] = set()
        columns = (_Table.c.object, _Table.c.record_id, _Table.c.channel)
        for theirs in self._rows_of(records):
            # Whoever has not decided yet need not be asked again about the same flag.
            waiting = or_(_Table.c.raised_again.is_(False), _Table.c.resolution.is_(None))
            rows = connection.execute(select(*columns).where(*theirs, waiting))
            found.update(((name, record_id), Channel(channel)) for name, record_id, channel in rows)
        return found

    def _ask(self, connection: Connection, holding: Holding, channel: Channel, now: datetime) -> None:
        number = next((each for each in holding.numbers if not each.startswith(CELL)), None)
        number = number or next(iter(holding.numbers), "")
        key = self._keyring.number_key(number)
        way = "every way of contact" if channel is Channel.ALL else channel.value
        payload = {"number": number, "evidence": _CLEARED.format(channel=way)}
        if erased_since(connection, self._keyring, number) is not None:
            payload["number"] = ""
        row: dict[str, Any] = {
            "org_id": self._org_id,
            "reason": ReviewReason.FLAG_CLEARED.value,
            "object": holding.object,
            "record_id": holding.record_id,
            "channel": channel.value,
            "number_key": key,
            "since": now,
            "raised_again": False,
        }
        row["payload"] = self._keyring.seal(payload, item_about(row))
        connection.execute(insert(_Table).values(**row))

    def _rows_of(self, records: Iterable[Key]) -> Iterable[tuple[Any, ...]]:
        for name, ids in ids_by_object(records).items():
            for some in in_batches(ids):
                yield (_Table.c.org_id == self._org_id, _Table.c.object == name, _Table.c.record_id.in_(some))
