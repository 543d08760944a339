"""The import of a register's list into a suppression ledger: what is refused, what is read, what it changes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo

from sqlalchemy import Connection

from ..errors import ErrorCode, FileError, GuardError, UsageError
from ..ports.services import Clock
from ..state.audit import Act, AuditAction, AuditLog
from ..state.key_spool import CHANGE_BYTES, KeySpool, encode_change
from ..state.list_changes import Incoming, ListChange, compare
from ..state.list_imports import NewVersion, begin_import, clear_leftovers, find_current, move_on, retire
from ..state.listing_pages import KEY_BYTES
from ..state.listings import CODE_DIGITS, ListInfo
from ..state.store import Store
from .list_rows import ListRows, UnreadableRow

EXAMPLES = 3
"""How many unreadable rows are named."""

MASS_FROM = 1000
"""From so many numbers on a list must not lose more than half of them unasked: so a file that was cut off looks."""


@dataclass(frozen=True, slots=True)
class ListOrder:
    """How an import was ordered. ``delta``: the file holds changes to the list that counts, and is no list itself.

    ``accept_mass_change``: the list may lose more than half of its numbers.
    """

    version: NewVersion
    delta: bool = False
    dry_run: bool = False
    accept_mass_change: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import has changed, or would; ``known`` tells that this very file counts already."""

    change: ListChange
    rows: int = 0
    unreadable: int = 0
    examples: tuple[UnreadableRow, ...] = ()
    known: bool = False


@dataclass(slots=True)
class _Read:
    rows: int = 0
    unreadable: int = 0
    examples: tuple[UnreadableRow, ...] = ()
    codes: set[str] = field(default_factory=set)


def find_expiry(as_of: datetime, lifetime: timedelta | None, zone: tzinfo) -> datetime | None:
    """Return the last second in which a list may be relied on: that of its last day in UTC or, if that is over first,
    in ``zone``, the register's.
    """
    if lifetime is None:
        return None
    day = (as_of + lifetime).date()
    return min(datetime.combine(day, time(23, 59, 59), each).astimezone(UTC) for each in (UTC, zone))


def take_in_list(
    store: Store, ledger: str, clock: Clock, order: ListOrder, rows: ListRows, tell: Callable[[int, int], None]
) -> Imported:
    """Import a list, or the changes to one, and return what that changes; ``tell`` hears bytes read, of how many.

    Until all of it is in the store the version before counts. Raises UsageError where the order does not fit the list
    that is there, FileError where the file is no such list, GuardError where it would take too many off the list, and
    BusyError while another process imports it.
    """
    new = order.version
    base = find_current(store, ledger, new.name)
    _refuse_misfit(order, base, clock.now())
    if base is not None and (base.sha256, base.as_of) == (new.sha256, new.as_of):
        if not order.dry_run:
            clear_leftovers(store, ledger, new.name, clock)
        return Imported(ListChange(numbers=base.numbers), known=True)

    with ExitStack() as stack:
        spool = stack.enter_context(KeySpool(CHANGE_BYTES if order.delta else KEY_BYTES))
        read = _read(store, rows, spool, tell, delta=order.delta)
        _refuse_wrong_format(read)
        incoming = Incoming(spool, read.codes, order.delta)
        if order.dry_run:
            return Imported(compare(store, incoming, base), read.rows, read.unreadable, read.examples)

        started = stack.enter_context(begin_import(store, ledger, new, clock))
        # Another import may have come to its end since the first look.
        base = find_current(store, ledger, new.name)
        _refuse_misfit(order, base, clock.now())
        if base is not None and base.numbers >= MASS_FROM and not order.accept_mass_change:
            _refuse_mass_change(new.name, base, compare(store, incoming, base))

        def log(connection: Connection, change: ListChange) -> None:
            AuditLog(store.keyring).append(connection, _act(new, change, clock.now()))

        change = started.complete(incoming, base, lambda _done, _of: None, log)
    return Imported(change, read.rows, read.unreadable, read.examples)


def remove_list(store: Store, ledger: str, clock: Clock, name: str, reason: str, author: str) -> ListInfo:
    """Take a list off the ledger, and return what it was.

    Raises UsageError where there is none of that name, BusyError while another process imports it.
    """
    base = find_current(store, ledger, name)
    if base is None:
        raise UsageError(f"There is no list {name}.", code=ErrorCode.LIST_NOT_FOUND)
    clear_leftovers(store, ledger, name, clock)
    with store.transaction() as connection:
        retire(store, connection, ledger, name)
        move_on(connection, base.version_id)
        subject = f"list {name} ({base.jurisdiction}) of {base.as_of:%Y-%m-%d}, taken away"
        AuditLog(store.keyring).append(connection, Act(clock.now(), author, AuditAction.LIFT, subject, reason))
    clear_leftovers(store, ledger, name, clock)
    return base


def _read(store: Store, rows: ListRows, spool: KeySpool, tell: Callable[[int, int], None], *, delta: bool) -> _Read:
    read = _Read()
    hashes, codes = store.keyring.number_keys, set[bytes]()

    for batch in rows.batches():
        keys = hashes(batch.numbers)
        changes = batch.changes or [(0, True)] * len(keys)
        if delta:
            spool.add([encode_change(key, *change) for key, change in zip(keys, changes, strict=True)])
        elif batch.changes is None:
            spool.add([key[:KEY_BYTES] for key in keys])
        else:
            spool.add([key[:KEY_BYTES] for key, (_, is_on) in zip(keys, changes, strict=True) if is_on])
        codes.update([number[1 : 1 + CODE_DIGITS] for number in batch.numbers])

        read.rows += batch.rows
        read.unreadable += batch.unreadable
        read.examples = (*read.examples, *batch.examples)[:EXAMPLES]
        tell(batch.position, rows.size)

    read.codes = {code.decode() for code in codes}
    return read


def _refuse_misfit(order: ListOrder, base: ListInfo | None, now: datetime) -> None:
    new = order.version
    if new.as_of > now:
        raise UsageError(
            f"The list is dated {new.as_of:%Y-%m-%d}, which is yet to come.", "Give the day of the download."
        )
    if base is None:
        if order.delta:
            raise UsageError(f"There is no list {new.name} to change.", code=ErrorCode.LIST_HAS_NO_BASE)
        return

    if base.jurisdiction != new.jurisdiction:
        raise UsageError(
            f"The list {new.name} is one of {base.jurisdiction}, not of {new.jurisdiction}.",
            "Give the new list another name.",
        )
    if new.as_of < base.as_of:
        raise UsageError(
            f"The list {new.name} that counts is of {base.as_of:%Y-%m-%d}, and this file is older: "
            f"{new.as_of:%Y-%m-%d}. Nothing was changed.",
            "Download a newer one.",
        )


def _refuse_wrong_format(read: _Read) -> None:
    named = "; ".join(f"line {row.line}: {row.text!r}" for row in read.examples)
    if read.unreadable * 2 > read.rows:
        raise FileError(
            f"{read.unreadable:,} of {read.rows:,} rows hold no number, such as {named}. Nothing was changed.",
            code=ErrorCode.LIST_UNREADABLE,
        )
    if read.unreadable == read.rows:
        raise FileError("The file holds no number. Nothing was changed.", code=ErrorCode.LIST_UNREADABLE)


def _refuse_mass_change(name: str, base: ListInfo, change: ListChange) -> None:
    if change.removed * 2 > base.numbers:
        raise GuardError(
            f"This file would take {change.removed:,} of {base.numbers:,} numbers off the list {name}. "
            "Nothing was changed.",
            "Check that it is whole, and of the same areas.",
            code=ErrorCode.MASS_CHANGE,
        )


def _act(new: NewVersion, change: ListChange, now: datetime) -> Act:
    subject = f"list {new.name} ({new.jurisdiction}) of {new.as_of:%Y-%m-%d}, sha256 {new.sha256[:16]}"
    reason = f"{change.added:,} added, {change.removed:,} removed, {change.numbers:,} on it"
    return Act(now, new.author, AuditAction.IMPORT, subject, reason)
