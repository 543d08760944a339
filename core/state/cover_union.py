"""What covers the numbers of an org's records: its own flags, and what lies elsewhere, as one answer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from ..model.blocks import NO_WAY, SMS_ALONE, Block, BlockSource, Channel
from .blocks_elsewhere import BlocksElsewhere
from .holdings import Holdings
from .keyring import Keyring
from .list_reach import ListReach
from .opt_out_flags import OptOutFlags
from .reach import Covered, Reach, Source


class Covers(NamedTuple):
    """What is known of some E.164 numbers.

    ``covered`` are those that anything covers, ``elsewhere`` what does so for those that no flag of the org covers, and
    ``lifted`` those that were covered and are free again. ``channels`` names the channels of those covered numbers that
    nothing covers for every way of contact.
    """

    covered: frozenset[str]
    lifted: frozenset[str]
    elsewhere: dict[str, Block]
    channels: Mapping[str, frozenset[Channel]]


_FOREIGN = (None, SMS_ALONE)
"""What the flags of the org cover of a number where the reason names what lies elsewhere."""


def _strictest(blocks: Sequence[Block]) -> Block:
    """Return the first block that forbids more than messages, else the first."""
    return next((block for block in blocks if block.channel is not Channel.SMS), blocks[0])


class CoverUnion:
    """The union of all that covers an org's numbers. Every method works in the caller's transaction.

    What is found elsewhere is put on record as soon as it is seen: so a later run knows whom it silenced, and frees
    them once it has ended.
    """

    def __init__(self, keyring: Keyring, org_id: int, flags: OptOutFlags, holdings: Holdings) -> None:
        self._keyring = keyring
        self._flags = flags
        self._holdings = holdings
        self._elsewhere = BlocksElsewhere(keyring, org_id)
        self._reach = Reach(org_id, Source.LEDGER)
        self._lists = ListReach(keyring, org_id)

    def take_in(self, connection: Connection, now: datetime) -> set[bytes]:
        """Find out which numbers of the org are covered elsewhere by now; return the keys of those that are no more."""
        self._elsewhere.begin(connection)
        covered: set[Covered] = set()
        for some in self._elsewhere.list_keys(connection, now):
            keys = [key for key, _ in some]
            ours = self._holdings.find_held(connection, keys) | self._flags.find_known(connection, keys)
            covered.update(each for each in some if each[0] in ours)
        freed = self._reach.take_in(connection, covered)
        return freed | self._lists.take_in_changes(connection, self._elsewhere.ledger)

    def find(self, connection: Connection, numbers: Collection[str], now: datetime) -> Covers:
        """Return which of the numbers are covered, by what, and which are free again."""
        own, lifted = self._flags.find_covered_and_lifted(connection, numbers)
        elsewhere = self._elsewhere.find(connection, numbers, now)
        if elsewhere:
            self._note(connection, elsewhere)

        channels = dict(own)
        for number, blocks in elsewhere.items():
            channels[number] = channels.get(number, NO_WAY) | {block.channel for block in blocks}
        muted = frozenset(number for number, each in channels.items() if each != SMS_ALONE)
        ended = self._find_ended(connection, numbers)
        named = {number: _strictest(blocks) for number, blocks in elsewhere.items() if own.get(number) in _FOREIGN}
        limited = {number: each for number, each in channels.items() if Channel.ALL not in each}
        return Covers(frozenset(channels), (lifted | ended) - muted, named, limited)

    def find_covered_keys(self, connection: Connection, keys: Sequence[bytes]) -> set[bytes]:
        """Return those keys, at most :data:`ringfence.core.state.sql.BATCH`, that a flag of the org covers every way.

        What else covers those numbers adds nothing.
        """
        return self._flags.find_covered_keys(connection, keys, every_way=True)

    def list_keys(self, connection: Connection, *, all_runs: bool) -> Iterator[Sequence[bytes]]:
        """Yield the keys of all covered numbers in batches, each once.

        Without ``all_runs`` only of those with something that has yet to reach every holder.
        """
        yield from self._flags.list_covered_keys(connection, all_runs=all_runs)
        for keys in self._reach.list_keys(connection, all_runs=all_runs):
            yield sorted(set(keys) - self.find_covered_keys(connection, keys))
        for keys in self._lists.list_keys(connection, all_runs=all_runs):
            once = set(keys) - self._reach.find_covering(connection, keys)
            yield sorted(once - self.find_covered_keys(connection, keys))

    def find_confirmed(self, connection: Connection, numbers: Collection[str], now: datetime) -> set[str]:
        """Return those of the numbers that something elsewhere covers: no record of this CRM need say so again."""
        return set(self._elsewhere.find(connection, numbers, now))

    def mark_propagated(self, connection: Connection) -> None:
        """Record that all that covers so far has reached every holder."""
        self._flags.mark_propagated(connection)
        self._reach.mark_propagated(connection)
        self._lists.mark_propagated(connection)

    def _note(self, connection: Connection, elsewhere: Mapping[str, Sequence[Block]]) -> None:
        """Put on record whom a source elsewhere has been seen to silence."""
        seen = [
            (each.source, (self._keyring.number_key(number), each.channel))
            for number, blocks in elsewhere.items()
            for each in blocks
        ]
        self._reach.note(connection, [each for source, each in seen if source is not BlockSource.REGISTRY])
        self._lists.note(connection, [each for source, each in seen if source is BlockSource.REGISTRY])

    def _find_ended(self, connection: Connection, numbers: Collection[str]) -> frozenset[str]:
        reaches = [each for each in (self._reach, self._lists) if each.any_ended(connection)]
        if not reaches:
            return frozenset()
        by_key = {self._keyring.number_key(number): number for number in numbers}
        ended = set().union(*(each.find_ended(connection, list(by_key)) for each in reaches))
        return frozenset(map(by_key.__getitem__, ended))
