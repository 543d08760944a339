"""The suppression ledger for a person: entries made and listed, and the question whether a number may be contacted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from ringfence.core.clock import whole_seconds
from ringfence.core.config.spelling import did_you_mean
from ringfence.core.errors import UsageError
from ringfence.core.model.blocks import Block, BlockKind, BlockSource, Channel, Entry, NewEntry, RecordName
from ringfence.core.numbers import mask, read_number
from ringfence.core.state.audit import Act, AuditAction, AuditLog
from ringfence.core.state.blocks import Blocks
from ringfence.core.state.run_history import list_names_beside
from ringfence.core.state.store import Store
from ringfence.core.suppression.expired_lists import ExpiredLists
from ringfence.core.suppression.question import SuppressionQuestion, ask_ledger

from ..config_files import find_clocks
from ..registry import find_crm
from ..wiring import Wiring
from .door import Door
from .numbers import read_any, read_one

MOST_REASON = 2000
"""Characters of a reason: enough for the words of a complaint."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants on the ledger, as it was typed.

    ``expires`` is a UTC day, the last one on which the entry blocks, or an aware moment; ``record`` is
    CRM:OBJECT:ID, which belongs to ``wrong_person`` alone.
    """

    number: str
    reason: str
    kind: BlockKind = BlockKind.DNC_INTERNAL
    channel: Channel = Channel.ALL
    region: str | None = None
    expires: str | None = None
    record: str | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """An entry of the ledger; ``is_new`` is False where it was there already."""

    entry: Entry
    is_new: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What keeps a number silent, whatever the channel; ``number`` is masked, ``suppressed`` for the channel asked.

    ``expired_lists`` names the lists of its country that are too old. ``deadlines`` holds for each block the last day
    for honouring it by the law of the number's country, None where no clock gives one.
    """

    number: str
    blocks: list[Block]
    suppressed: bool
    expired_lists: list[str] = field(default_factory=list)
    deadlines: list[date | None] = field(default_factory=list)


def add_entry(wiring: Wiring, wish: Wish, door: Door, store: Store | None = None) -> Added:
    """Put a person's entry on the ledger, and return it; one that says the same is there once.

    ``store`` is the state store where that is open already.

    Raises UsageError for what cannot be meant: a number that cannot be read, no reason, a day that is over, a record
    without ``wrong_person`` or the other way round. Raises the errors of the wiring.
    """
    now = whole_seconds(wiring.clock.now())
    reason = read_reason(wish.reason)
    entry = NewEntry(
        read_one(wiring, wish.number, wish.region),
        wish.kind,
        wish.channel,
        BlockSource.PERSON,
        reason,
        door.author,
        now,
        expires=_read_expiry(wish.expires, now),
        record=_read_record(wiring, wish),
    )

    with _opened(wiring, store) as opened, opened.transaction() as connection:
        blocks = Blocks(opened.keyring, ledger_of(wiring))
        there = blocks.find_active(connection, [entry.number], now).get(entry.number, [])
        if same := next((each for each in there if _says_the_same(each, entry)), None):
            return Added(same, is_new=False)
        added = blocks.add(connection, entry)
        subject = f"{mask(entry.number)} ({entry.kind.value}, {entry.channel.value})"
        act = Act(now, door.author, AuditAction.ADD, subject, reason)
        AuditLog(opened.keyring).append(connection, act)
    return Added(added, is_new=True)


def _opened(wiring: Wiring, store: Store | None) -> AbstractContextManager[Store]:
    """Return the store for a block: the one that is open, or else one that is opened for it."""
    return closing(wiring.open_state()) if store is None else nullcontext(store)


def lift_of_record(
    wiring: Wiring,
    text: str,
    record: str,
    reason: str,
    door: Door,
    *,
    region: str | None = None,
    dry_run: bool = False,
) -> list[Entry]:
    """Take back that a number is somebody else's on a record, and return the entries that this ends.

    What blocks the number wherever it stands is left as it is. Raises UsageError for a number or a record that cannot
    be meant, and without a reason, and the errors of the wiring.
    """
    now, reason = whole_seconds(wiring.clock.now()), read_reason(reason)
    number, named = read_one(wiring, text, region), find_record(wiring, record)
    with closing(wiring.open_state()) as store:
        called = {named.account, *list_names_beside(store, named.account)}
        blocks = Blocks(store.keyring, ledger_of(wiring))
        with store.transaction() as connection:
            there = blocks.find_active(connection, [number], now).get(number, [])
            ended = [each for each in there if each.record in {named._replace(account=name) for name in called}]
            if ended and not dry_run:
                blocks.lift(connection, ended, reason, door.author, now)
                act = Act(now, door.author, AuditAction.LIFT, f"{mask(number)} on {named}", reason)
                AuditLog(store.keyring).append(connection, act)
    return ended


def check_number(
    wiring: Wiring,
    text: str,
    *,
    channel: Channel | None = None,
    region: str | None = None,
    sandbox: bool = False,
    allow_expired_lists: bool = False,
    store: Store | None = None,
) -> Answer:
    """Tell what keeps a number silent now; without ``channel`` any block counts as one.

    ``store`` is the state store where that is open already.

    Every valid reading of the text is asked for. Raises UsageError where it cannot be read, and nothing blocks what it
    may be, and StoppedError where nothing does and a list of its country is expired, unless that is allowed. Where
    there is no state yet, nothing is known, and none is made.
    """
    number = read_any(wiring, text, region)
    keys = dict.fromkeys([*filter(None, [number.e164]), *number.covers])
    with open_question(wiring, sandbox=sandbox, store=store) as question:
        found = question.find(keys) if question else {}
        expired = question.find_expired_lists(allowed=allow_expired_lists) if question else ExpiredLists.none()

    blocks = [block for key in keys for block in found.get(key, [])]
    if not blocks:
        read_one(wiring, text, region)  # or else it is not known what may be contacted
    error = expired.meet([number.region, *(read_number(key, None).region for key in keys)])
    suppressed = any(block.channel.blocks(channel or Channel.ALL) for block in blocks)
    if error and not suppressed:
        raise error
    deadlines = _find_deadlines(wiring, number.region, blocks)
    return Answer(mask(number.e164 or text), blocks, suppressed, expired.names, deadlines)


def _find_deadlines(wiring: Wiring, region: str | None, blocks: Sequence[Block]) -> list[date | None]:
    """Return for each block the last day for honouring what a person asked for; a list has a clock of its own."""
    asked = [None if each.source is BlockSource.REGISTRY else each.since for each in blocks]
    if region is None or not any(asked):
        return [None] * len(blocks)
    clocks = find_clocks(wiring.settings.mappings)
    return [clocks.request_deadline(region, since) if since else None for since in asked]


@contextmanager
def open_question(wiring: Wiring, *, sandbox: bool, store: Store | None = None) -> Iterator[SuppressionQuestion | None]:
    """Yield the question to the ledger, or None where there is no state store yet. Raises the errors of the wiring.

    ``store`` is the state store where that is open already.
    """
    opened = store or wiring.open_state_if_there()
    if opened is None:
        yield None
        return
    with nullcontext(opened) if store else closing(opened):
        yield ask_ledger(opened, ledger_of(wiring), wiring.clock, sandbox=sandbox)


@contextmanager
def open_entries(wiring: Wiring, kind: BlockKind | None = None, limit: int | None = None) -> Iterator[Iterator[Entry]]:
    """Yield the entries that block now, the newest first, read while they are asked for; none without a state store.

    Raises the errors of the wiring.
    """
    store = wiring.open_state_if_there()
    if store is None:
        yield iter(())
        return
    with closing(store):
        yield _list_entries(store, wiring, kind, limit)


def _list_entries(store: Store, wiring: Wiring, kind: BlockKind | None, limit: int | None) -> Iterator[Entry]:
    blocks = Blocks(store.keyring, ledger_of(wiring))
    with store.transaction() as connection:
        yield from blocks.list_active(connection, wiring.clock.now(), kind, limit)


def ledger_of(wiring: Wiring) -> str:
    """Return the name of the suppression ledger that these settings are for; "" is the one that accounts share."""
    return wiring.settings.ledger or ""


def read_reason(text: str) -> str:
    """Return a person's reason, trimmed. Raises UsageError for none, and for a book."""
    reason = " ".join(text.split())
    if not reason:
        raise UsageError("The reason is empty.", "Say why, for whoever asks later.")
    if len(reason) > MOST_REASON:
        raise UsageError(f"The reason has {len(reason):,} characters.", f"Give {MOST_REASON:,} at most.")
    return reason


def _says_the_same(entry: Entry, new: NewEntry) -> bool:
    """Return whether an entry says what a new one would, whoever says it and since when."""
    return (entry.kind, entry.channel, entry.source, entry.reason, entry.expires, entry.record) == (
        new.kind,
        new.channel,
        new.source,
        new.reason,
        new.expires,
        new.record,
    )


def _read_expiry(text: str | None, now: datetime) -> datetime | None:
    """Return the moment until which an entry blocks: of a day its last second in UTC."""
    if text is None:
        return None
    try:
        if len(text.strip()) == len("2026-12-31"):
            moment = datetime.combine(date.fromisoformat(text.strip()), time(23, 59, 59), UTC)
        else:
            moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            f"{text!r} is no day.", "Write it as in 2026-12-31: the entry ends with that day, UTC."
        ) from None

    if moment.tzinfo is None:
        raise UsageError(f"{text!r} names no time zone.", "Write a day, as in 2026-12-31, or add Z for UTC.")
    if moment <= now:
        raise UsageError(f"{text} is over: the entry would block nothing.", "Name a day that is to come, or none.")
    return whole_seconds(moment)


def _read_record(wiring: Wiring, wish: Wish) -> RecordName | None:
    """Return the record that a wish names. Raises UsageError where it does not fit the kind, or names none."""
    if wish.kind is not BlockKind.WRONG_PERSON:
        if wish.record is not None:
            raise UsageError(
                f"A record was named, and {wish.kind.value} is about the number wherever it stands.",
                "Leave the record out, or make the kind wrong_person.",
            )
        return None
    if wish.record is None:
        raise UsageError(
            "wrong_person is about the number on one record, and none was named.",
            "Name the record as CRM:OBJECT:ID, such as salesforce:Contact:0035i00000AbCdEAAV.",
        )
    return find_record(wiring, wish.record)


def find_record(wiring: Wiring, text: str) -> RecordName:
    """Return the record that CRM:OBJECT:ID names, by the id that the CRM writes. Raises UsageError where it is none."""
    account, _, rest = text.partition(":")
    name, _, written = rest.partition(":")
    if not (account and name and written):
        raise UsageError(f"{text!r} names no record.", "Write CRM:OBJECT:ID, as in hubspot:contacts:1234.")

    of_account = wiring.of(account)
    shapes = of_account.shapes(account)
    if name not in shapes:
        raise UsageError(
            f"The mapping of {account} has no object {name!r}{did_you_mean(name, shapes)}.",
            f"There are: {', '.join(shapes)}.",
        )
    crm = find_crm(of_account.account.crm if of_account.account else account)
    record_id = crm.record_id(written)
    if record_id is None:
        raise UsageError(f"{written!r} is no id of a record in {crm.name}.", "Copy it from the address of the record.")
    return RecordName(account, name, record_id)
