"""What becomes of the opt-outs of records that are gone, and of flags that outlive the opt-out they came from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from sqlalchemy import ColumnElement, Connection, FromClause, delete, select, tuple_, update

from ..model.blocks import Channel
from . import schema
from .flag_states import COVERING, DERIVED, FlagState
from .holdings import Key
from .sql import ids_by_object, in_batches


class FlagHeritage:
    """The opt-out flags of one org whose record is gone, or whose source has ended.

    Every method works in the caller's transaction.
    """

    def __init__(self, org_id: int, run_id: str) -> None:
        self._org_id = org_id
        self._run_id = run_id

    def adopt(self, connection: Connection, records: Iterable[Key]) -> None:
        """Let those of ringfence's flags that are on these records count as raised by somebody from now on."""
        table = schema.opt_out_flags
        for theirs in self._rows_of(records):
            connection.execute(
                update(table)
                .where(*theirs, table.c.state.in_(DERIVED))
                .values(state=FlagState.RAISED.value, propagated=False)
            )

    def pass_on(self, connection: Connection, records: Iterable[Key]) -> None:
        """Forget the flags of these records, which are gone, as far as others carry on what they covered.

        A flag that covers the same number does so; else those do that ringfence raised on holders of the number, for
        this number alone. Where there is neither, the number stays covered.
        """
        table, other = schema.opt_out_flags, schema.opt_out_flags.alias("other")
        covered = (
            select(other.c.record_id)
            .where(
                other.c.org_id == table.c.org_id,
                other.c.number_key == table.c.number_key,
                other.c.channel.in_((table.c.channel, Channel.ALL.value)),
                other.c.state.in_(COVERING),
                ~_is_handing_over(other),
            )
            .exists()
        )

        for theirs in self._rows_of(records):
            connection.execute(delete(table).where(*theirs, table.c.state.in_(COVERING), covered))
            left = select(table.c.channel, table.c.number_key).where(*theirs, table.c.state.in_(COVERING)).distinct()
            by_channel: defaultdict[str, list[bytes]] = defaultdict(list)
            for channel, key in connection.execute(left):
                by_channel[channel].append(key)
            for channel, keys in by_channel.items():
                self._inherit(connection, keys, channel)
            connection.execute(delete(table).where(*theirs, table.c.state.in_(COVERING), covered))
            connection.execute(delete(table).where(*theirs, table.c.state == FlagState.DERIVED.value))

    def _inherit(self, connection: Connection, keys: list[bytes], channel: str) -> None:
        table = schema.opt_out_flags
        for some in in_batches(keys):
            ours = (table.c.org_id == self._org_id, table.c.number_key.in_(some), table.c.channel == channel)
            connection.execute(
                update(table)
                .where(*ours, table.c.state == FlagState.DERIVED.value, ~_is_handing_over(table))
                .values(state=FlagState.INHERITED.value)
            )

    def forget_unseen(self, connection: Connection, object_name: str) -> None:
        """Forget ringfence's own flags on records of the object that this run has not seen up.

        What somebody asked for stays, whatever became of the record: its absence lifts nothing.
        """
        table, seen = schema.opt_out_flags, schema.opt_out_flags.alias("seen")
        # One list for all rows: asked of each row by itself, SQLite goes through all the others every time.
        seen_up = select(seen.c.record_id).where(
            seen.c.org_id == self._org_id, seen.c.object == object_name, seen.c.last_seen_run_id == self._run_id
        )
        unseen = (table.c.org_id == self._org_id, table.c.object == object_name, table.c.record_id.not_in(seen_up))
        connection.execute(delete(table).where(*unseen, table.c.state == FlagState.DERIVED.value))

    def forget_own(self, connection: Connection, records: Iterable[Key]) -> None:
        """Forget the flags that ringfence raised on these records, which are gone."""
        table = schema.opt_out_flags
        for theirs in self._rows_of(records):
            connection.execute(delete(table).where(*theirs, table.c.state == FlagState.DERIVED.value))

    def list_stale(self, connection: Connection) -> list[Key]:
        """Return the records with a flag that ringfence raised and no opt-out calls for any longer, in their order."""
        flag, own, source = (schema.opt_out_flags.alias(name) for name in ("flag", "own", "source"))
        # Lists for all rows, as in forget_unseen().
        elsewhere = schema.covered_elsewhere
        covered = select(source.c.number_key).where(source.c.org_id == self._org_id, source.c.state.in_(COVERING))
        reaching = select(elsewhere.c.number_key).where(
            elsewhere.c.org_id == self._org_id, elsewhere.c.ended.is_(False)
        )
        still_asked = select(own.c.object, own.c.record_id).where(
            own.c.org_id == self._org_id, own.c.number_key.in_(covered.union_all(reaching))
        )
        query = (
            select(flag.c.object, flag.c.record_id)
            .distinct()
            .where(
                flag.c.org_id == self._org_id,
                flag.c.state == FlagState.DERIVED.value,
                tuple_(flag.c.object, flag.c.record_id).not_in(still_asked),
            )
            .order_by(flag.c.object, flag.c.record_id)
        )
        return [(row.object, row.record_id) for row in connection.execute(query)]

    def _rows_of(self, records: Iterable[Key]) -> Iterator[tuple[ColumnElement[bool], ...]]:
        table = schema.opt_out_flags
        for name, ids in ids_by_object(records).items():
            for some in in_batches(ids):
                yield (table.c.org_id == self._org_id, table.c.object == name, table.c.record_id.in_(some))


def _is_handing_over(flags: FromClause) -> ColumnElement[bool]:
    """Return the condition that the record of a flag is gone, and its opt-out not handed over yet."""
    merged = schema.merged_records
    return (
        select(merged.c.record_id)
        .where(
            merged.c.org_id == flags.c.org_id,
            merged.c.object == flags.c.object,
            merged.c.record_id == flags.c.record_id,
            merged.c.handed_over.is_(False),
        )
        .exists()
    )
