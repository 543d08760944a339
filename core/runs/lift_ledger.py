"""What a lift does on the suppression ledger itself: which entries it ends, and what has to stay covered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from ..clock import whole_seconds
from ..model.blocks import LEFT_BY_LIFT, Block, BlockKind, BlockSource, Channel, Entry, NewEntry
from ..numbers import mask
from ..ports.services import Clock
from ..state.audit import Act, AuditAction, AuditLog
from ..state.blocks import Blocks
from ..state.store import Store
from ..suppression.question import SuppressionQuestion
from ..writing.lifting import LiftAuthority

_BY_HAND = (BlockSource.PERSON, BlockSource.SIGNAL)


class LedgerLift:
    """The part of a lift that no CRM account has. ``numbers`` are the keys that the lifted number may stand under."""

    def __init__(
        self, store: Store, ledger: str, clock: Clock, numbers: Sequence[str], authority: LiftAuthority
    ) -> None:
        self._store = store
        self._clock = clock
        self._numbers = numbers
        self._authority = authority
        self._blocks = Blocks(store.keyring, ledger)
        self._question = SuppressionQuestion(store, ledger, clock, production=True)
        self._is_logged = False

    def find_blocks(self) -> tuple[list[Entry], list[Block]]:
        """Return the entries that a lift ends, and the listings of registries, which it cannot.

        An entry that is about one record alone is no block on the number, and stays.
        """
        found = [block for blocks in self._question.find(self._numbers).values() for block in blocks]
        with self._store.transaction() as connection:
            active = self._blocks.find_active(connection, self._numbers, self._clock.now())

        entries = [each for theirs in active.values() for each in theirs]
        ended = [each for each in entries if each.source in _BY_HAND and each.record is None]
        return ended, [block for block in found if block.source is BlockSource.REGISTRY]

    def find_blocked(self, numbers: Collection[str]) -> set[str]:
        """Return those of other numbers that an entry blocks or a registry lists; left-overs of a lift do not count."""
        found = self._question.find(numbers)
        return {
            number
            for number, blocks in found.items()
            if any(each.source is not BlockSource.CRM and each.origin != LEFT_BY_LIFT for each in blocks)
        }

    def cover(self, numbers: Mapping[str, frozenset[Channel]]) -> None:
        """Give other numbers, which flags of these channels cover that come down, entries of their own; log the lift.

        One that an entry blocks already in that way needs none.
        """
        now = whole_seconds(self._clock.now())
        with self._store.transaction() as connection:
            there = self._blocks.find_blocks(connection, numbers, now)
            for number, channels in sorted(numbers.items()):
                blocked = {block.channel for block in there.get(number, ())}
                wanted = {Channel.ALL} if Channel.ALL in channels else channels
                if Channel.ALL not in blocked:
                    for channel in sorted(wanted - blocked):
                        self._blocks.add(connection, self._leave(number, channel, now))
            self._log(connection)

    def end(self, entries: Sequence[Entry]) -> None:
        """End these entries."""
        if not entries:
            return
        now, authority = whole_seconds(self._clock.now()), self._authority
        with self._store.transaction() as connection:
            self._blocks.lift(connection, entries, authority.reason, authority.author, now)
            self._log(connection)

    def _leave(self, number: str, channel: Channel, now: datetime) -> NewEntry:
        return NewEntry(
            number,
            BlockKind.OPTED_OUT,
            channel,
            BlockSource.PERSON,
            f"covered by a flag that was lowered when {mask(self._numbers[0])} was lifted: {self._authority.reason}",
            self._authority.author,
            now,
            origin=LEFT_BY_LIFT,
        )

    def _log(self, connection: Connection) -> None:
        """Put the lift into the audit log, once, with the first thing that it does."""
        if not self._is_logged:
            act = Act(
                self._clock.now(),
                self._authority.author,
                AuditAction.LIFT,
                mask(self._numbers[0]),
                self._authority.reason,
            )
            AuditLog(self._store.keyring).append(connection, act)
            self._is_logged = True
