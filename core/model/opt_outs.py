"""What is known of opt-outs about some records: whom they cover, and what people have lifted."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from .blocks import LEFT_BY_LIFT, SMS_ALONE, Block, Channel
from .shapes import ObjectShape

_NOTHING: Mapping[str, Block] = MappingProxyType({})
_NOBODY: Mapping[tuple[str, str], frozenset[Channel]] = MappingProxyType({})
_NO_CHANNELS: Mapping[str, frozenset[Channel]] = MappingProxyType({})


class OptOuts(NamedTuple):
    """What the ledger knows about a batch of records. Records are named by (object, record id).

    ``covered`` holds the numbers (keys of :meth:`ringfence.core.model.record_view.RecordView.e164s`) that an opt-out
    covers: a flag that somebody raised, here or in another account of the ledger, or a block of another source.
    ``elsewhere`` names what does so for those of them that no flag of this account covers. ``lifted`` holds those that
    were covered and are free again: the last flag was lowered, on a record that is there, or the last block has ended.
    ``released`` holds the records whose own flag was up and was lowered, ``derived`` those whose flag ringfence raised,
    and ``heirs`` those into which a record that had opted out was merged: its opt-out is theirs.

    ``channels`` names the channels of those covered numbers that not every way of contact is blocked for.
    ``messages_alone`` holds the records whose flags were all raised on account of messages, ``own_messages`` those on
    which somebody raised a flag for messages. ``asking`` holds the channels of what people asked for on each record,
    and ``kept`` the records on which somebody has cleared that, and the mapping keeps it up.

    ``wrong_persons`` holds (object, record id, number) where a number on a record is somebody else's, and ``righted``
    where that was said once and does not count any longer: neither is an opt-out.
    """

    covered: frozenset[str] = frozenset()
    lifted: frozenset[str] = frozenset()
    released: frozenset[tuple[str, str]] = frozenset()
    derived: frozenset[tuple[str, str]] = frozenset()
    heirs: frozenset[tuple[str, str]] = frozenset()
    elsewhere: Mapping[str, Block] = _NOTHING
    channels: Mapping[str, frozenset[Channel]] = _NO_CHANNELS
    messages_alone: frozenset[tuple[str, str]] = frozenset()
    own_messages: frozenset[tuple[str, str]] = frozenset()
    asking: Mapping[tuple[str, str], frozenset[Channel]] = _NOBODY
    kept: frozenset[tuple[str, str]] = frozenset()
    wrong_persons: frozenset[tuple[str, str, str]] = frozenset()
    righted: frozenset[tuple[str, str, str]] = frozenset()

    def silencing(self, shape: ObjectShape) -> frozenset[str]:
        """Return the covered numbers that nobody may contact on a record of the shape.

        A number of which messages alone are blocked is none of them, where the mapping has a flag for messages
        (contract.md, section 2).
        """
        if not self.channels or not shape.has_sms:
            return self.covered
        return self.covered - self.blocked_for_messages(shape)

    def blocked_for_messages(self, shape: ObjectShape) -> frozenset[str]:
        """Return the covered numbers of which messages alone are blocked, on a record of the shape."""
        if not self.channels or not shape.has_sms:
            return frozenset()
        return frozenset(number for number, channels in self.channels.items() if channels == SMS_ALONE)

    def raises_flags(self, number: str) -> bool:
        """Return whether what covers the number may raise a flag; a left-over of a lift silences its slots alone."""
        block = self.elsewhere.get(number)
        return block is None or block.origin != LEFT_BY_LIFT


NONE_KNOWN = OptOuts()
"""Nobody is known to have opted out."""
