"""What covers numbers from outside a CRM account: other accounts' flags, entries, and the lists of registers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from ..model.blocks import LEFT_BY_LIFT, Block, BlockKind, BlockSource, Channel
from . import schema
from .blocks import Blocks
from .flag_states import COVERING
from .keyring import Keyring
from .listings import Listings
from .reach import Covered
from .sql import BATCH, select_among


class _Account(NamedTuple):
    """Another account of the same kind on the same ledger: the state's own id, and the account's key."""

    org_id: int
    key: str


class BlocksElsewhere:
    """What blocks numbers now, beside the flags of one org's own records; for all but that org's CRM it is foreign.

    Accounts count that are on the org's ledger and production accounts as it is, or sandboxes; which these are is
    asked once, and again by :meth:`begin`. Entries count for both kinds. Every method works in the caller's
    transaction; moments are aware, in UTC.
    """

    def __init__(self, keyring: Keyring, org_id: int) -> None:
        self._keyring = keyring
        self._org_id = org_id
        self._accounts: Sequence[_Account] = ()
        self._entries: Blocks | None = None
        self._listings: Listings | None = None
        self.ledger = ""

    def begin(self, connection: Connection) -> None:
        """Find out which accounts count, and on which ledger."""
        orgs, flags = schema.orgs, schema.opt_out_flags
        own = connection.execute(select(orgs.c.ledger, orgs.c.production).where(orgs.c.id == self._org_id)).one()
        has_flags = select(flags.c.org_id).where(flags.c.org_id == orgs.c.id).exists()
        others = select(orgs.c.id, orgs.c.key).where(
            orgs.c.id != self._org_id, orgs.c.ledger == own.ledger, orgs.c.production == own.production, has_flags
        )

        self._accounts = [_Account(*row) for row in connection.execute(others.order_by(orgs.c.id))]
        self._entries = Blocks(self._keyring, own.ledger)
        self._listings = Listings(self._keyring, own.ledger)
        self.ledger = own.ledger

    def find(self, connection: Connection, numbers: Collection[str], now: datetime) -> dict[str, list[Block]]:
        """Return E.164 number -> what blocks it, those first that say best how the block is lifted."""
        entries, listings = self._asked(connection)
        found: defaultdict[str, list[Block]] = defaultdict(list)
        if not numbers:
            return {}

        if entries.any_blocks(connection):
            for number, blocks in entries.find_blocks(connection, numbers, now).items():
                found[number] += blocks
        for number, blocks in listings.find(connection, numbers).items():
            found[number] += blocks

        by_key = {self._keyring.number_key(number): number for number in numbers} if self._accounts else {}
        for account in self._accounts:
            for key, channel in self._covered_by(connection, account, list(by_key)):
                found[by_key[key]].append(Block(BlockKind.OPTED_OUT, channel, BlockSource.CRM, account.key))
        # What a lift has left over raises no flag: so it speaks only where nothing else does.
        return {number: sorted(blocks, key=_is_left_over) for number, blocks in found.items()}

    def find_keys(self, connection: Connection, keys: Sequence[bytes], now: datetime) -> set[bytes]:
        """Return those of the keys whose number is blocked."""
        entries, listings = self._asked(connection)
        found = entries.find_keys(connection, keys, now) | listings.find_by_key(connection, keys).keys()
        for account in self._accounts:
            found.update(key for key, _ in self._covered_by(connection, account, keys))
        return found

    def list_keys(self, connection: Connection, now: datetime) -> Iterator[Sequence[Covered]]:
        """Yield what flags and entries cover, in batches; one may come several times. Lists are too long for that."""
        yield from self._asked(connection)[0].list_keys(connection, now)

        table = schema.opt_out_flags
        for account in self._accounts:
            covering = (table.c.org_id == account.org_id, table.c.state.in_(COVERING))
            query = select(table.c.number_key, table.c.channel).distinct().where(*covering)
            for rows in connection.execute(query.execution_options(yield_per=BATCH)).partitions():
                yield [(bytes(key), Channel(channel)) for key, channel in rows]

    def _asked(self, connection: Connection) -> tuple[Blocks, Listings]:
        if self._entries is None or self._listings is None:
            self.begin(connection)
        assert self._entries is not None and self._listings is not None  # noqa: S101, PT018 - begin() has made them
        return self._entries, self._listings

    @staticmethod
    def _covered_by(connection: Connection, account: _Account, keys: Sequence[bytes]) -> set[Covered]:
        table = schema.opt_out_flags
        columns = [table.c.number_key, table.c.state, table.c.channel]
        rows = select_among(connection, columns, {"org_id": account.org_id}, table.c.number_key, keys)
        return {(bytes(key), Channel(channel)) for key, state, channel in rows if state in COVERING}


def _is_left_over(block: Block) -> bool:
    return block.origin == LEFT_BY_LIFT
