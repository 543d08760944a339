"""The opt-out flags of several accounts, as blocks of the suppression ledger that these accounts share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import Connection, bindparam, func, select

from ..model.blocks import Block, BlockKind, BlockSource, Channel
from . import schema
from .flag_states import COVERING
from .keyring import Keyring
from .run_history import began_at
from .sql import in_batches

_flags, _orgs = schema.opt_out_flags, schema.orgs
_columns = (_flags.c.number_key, _flags.c.channel)

# Made once: every question to the ledger asks this, and making a statement takes longer than carrying it out.
_FLAGS_OF_NUMBERS = (
    select(*_columns, func.min(_orgs.c.key).label("org"), func.min(_flags.c.first_seen_run_id).label("seen_by"))
    .join(_orgs, _orgs.c.id == _flags.c.org_id)
    .where(
        _orgs.c.ledger == bindparam("ledger"),
        _orgs.c.production == bindparam("production"),
        _flags.c.number_key.in_(bindparam("keys", expanding=True)),
        _flags.c.state.in_(COVERING),
    )
    .group_by(*_columns)
    .order_by(*_columns)
)


def find_crm_blocks(
    connection: Connection, keyring: Keyring, numbers: Collection[str], ledger: str, *, production: bool
) -> dict[str, list[Block]]:
    """Return E.164 number -> the blocks that the accounts' flags make, for those numbers that a flag covers.

    There is one for each channel. The accounts are those on the ledger that are production accounts, or those that are
    sandboxes. A flag that ringfence has raised itself covers nobody. ``since`` is when a run first saw a flag on the
    number.
    """
    by_key = {keyring.number_key(number): number for number in numbers}
    found: defaultdict[str, list[Block]] = defaultdict(list)
    asked = {"ledger": ledger, "production": production}

    for keys in in_batches(list(by_key)):
        rows = connection.execute(_FLAGS_OF_NUMBERS, {**asked, "keys": keys})
        for key, channel, org, seen_by in rows:
            block = Block(BlockKind.OPTED_OUT, Channel(channel), BlockSource.CRM, org, began_at(seen_by))
            found[by_key[bytes(key)]].append(block)
    return dict(found)
