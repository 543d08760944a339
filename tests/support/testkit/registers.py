"""Lists of registers put into a state store, without a file."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringfence.core.model.blocks import Channel
from ringfence.core.state.list_imports import NewVersion
from ringfence.core.state.store import Store
from ringfence.core.suppression.list_intake import Imported, ListOrder, take_in_list
from ringfence.core.suppression.list_rows import ListBatch
from testkit.clock import SetClock


@dataclass(frozen=True)
class Rows:
    """The rows of a file that is none."""

    numbers: Collection[str]
    size: int = 0

    def batches(self) -> Iterator[ListBatch]:
        """Yield all of them, and one that holds no number where there are none."""
        yield ListBatch([number.encode() for number in self.numbers], max(1, len(self.numbers)), 0)


def put_list(
    store: Store,
    clock: SetClock,
    numbers: Collection[str],
    *,
    name: str = "us-dnc",
    country: str = "US",
    age_days: int = 1,
    good_for_days: int = 31,
    channel: Channel = Channel.ALL,
) -> Imported:
    """Import a list that is so many days old, and return what that changed."""
    as_of = clock.now() - timedelta(days=age_days)
    version = NewVersion(
        name, country, channel, as_of, as_of + timedelta(days=good_for_days), _digest(numbers, as_of), "ada@host"
    )
    return take_in_list(store, "", clock, ListOrder(version, accept_mass_change=True), Rows(numbers), _untold)


def _digest(numbers: Collection[str], as_of: datetime) -> str:
    return f"{abs(hash((tuple(numbers), as_of))):064x}"


def _untold(_done: int, _of: int) -> None:
    """Nobody asks."""
