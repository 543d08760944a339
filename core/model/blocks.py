"""What keeps a number silent: blocks of four sources, each for a channel, each of a kind.

A *block* is what counts at a moment, whoever made it: a CRM's flag, a person's entry, a registry's listing, a signal.
An *entry* is what the suppression ledger holds of people and signals. It is never changed: lifting it is an entry too.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Channel(StrEnum):
    """The way of contact that a block or a flag is about (docs/contract.md, section 2)."""

    ALL = "all"
    VOICE = "voice"
    SMS = "sms"

    __hash__ = str.__hash__

    def blocks(self, asked: Channel) -> bool:
        """Return whether a block of this channel forbids contact by the asked one; by ``all`` means: in any way."""
        return self is asked or Channel.ALL in (self, asked)


EVERY_WAY = frozenset((Channel.ALL,))
"""The channels of a block on every way of contact, which is what nearly every block is."""

NO_WAY: frozenset[Channel] = frozenset()
"""The channels of no block at all."""

SMS_ALONE = frozenset((Channel.SMS,))
"""The channels of a block that leaves the status as it is (docs/contract.md, section 2)."""


def counts_as(channel: Channel, mapped: AbstractSet[Channel]) -> Channel:
    """Return the channel that a block counts as where flags of the ``mapped`` channels are in the mapping."""
    return channel if channel in mapped else Channel.ALL


def reaches(channel: Channel, flag: Channel, mapped: AbstractSet[Channel]) -> bool:
    """Return whether a block of the channel reaches a flag, by the flag's channel and those of the whole mapping."""
    counted = counts_as(channel, mapped)
    return counted is Channel.ALL or flag in (counted, Channel.ALL)


class BlockKind(StrEnum):
    """Why a number is blocked (docs/contract.md, section 4)."""

    DNC_INTERNAL = "dnc_internal"  # our own list: somebody asked not to be called
    OPTED_OUT = "opted_out"  # a flag in a CRM, or a STOP
    WRONG_PERSON = "wrong_person"  # on one record: the number belongs to somebody else there
    COMPLAINT = "complaint"
    LITIGATOR = "litigator"
    DNC_REGISTRY = "dnc_registry"  # a national or state register

    __hash__ = str.__hash__


class BlockSource(StrEnum):
    """Who keeps the number silent."""

    CRM = "crm"
    PERSON = "person"
    REGISTRY = "registry"
    SIGNAL = "signal"

    __hash__ = str.__hash__


LEFT_BY_LIFT = "lift"
"""The origin of an entry on a number that a flag covered which was lowered for another number's sake.

It silences the number wherever it stands, and raises no flag: the flag that was just lowered would go up again.
"""


class Block(NamedTuple):
    """One block that counts now.

    ``origin`` names its source further: the key of the CRM's org, the list, or who sent the signal. ``since`` and
    ``expires`` are aware UTC moments; None: not on record, or never.
    """

    kind: BlockKind
    channel: Channel
    source: BlockSource
    origin: str = ""
    since: datetime | None = None
    expires: datetime | None = None


class RecordName(NamedTuple):
    """A record of a CRM account: the account's name as commands call it, the object and the record's id."""

    account: str
    object: str
    id: str

    def __str__(self) -> str:
        return ":".join(self)


class NewEntry(NamedTuple):
    """What a person or a signal puts on the ledger.

    ``number`` is E.164. ``since`` and ``expires`` are aware UTC moments. ``record`` is set for ``wrong_person`` alone:
    that block is about the number on this record, and about no other's.
    """

    number: str
    kind: BlockKind
    channel: Channel
    source: BlockSource
    reason: str
    author: str
    since: datetime
    expires: datetime | None = None
    origin: str = ""
    evidence: str = ""
    record: RecordName | None = None


class Entry(NamedTuple):
    """An entry of the ledger as it was put there.

    ``lifts`` is the id of the entry that this one ends; None: it blocks. ``number``, ``reason`` and ``evidence`` are
    empty where the number was erased, and whoever reads the entry does not ask for that number.
    """

    id: int
    number: str
    kind: BlockKind
    channel: Channel
    source: BlockSource
    reason: str
    author: str
    since: datetime
    expires: datetime | None
    origin: str
    evidence: str
    record: RecordName | None
    lifts: int | None = None


def blocked_channels(blocks: Iterable[Block]) -> list[Channel]:
    """Return the channels that the blocks forbid together, in the order of :class:`Channel`; ``all`` stands alone."""
    found = {block.channel for block in blocks}
    if Channel.ALL in found or found >= {Channel.VOICE, Channel.SMS}:
        return [Channel.ALL]
    return [each for each in Channel if each in found]
