"""What stands on the slots of records at a moment: the question of every door, asked for many slots at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain
from typing import NamedTuple

from ..decisions.exports import Found, count_as
from ..model.blocks import Block
from ..model.record_view import RecordView
from ..model.shapes import ObjectShape, Slot, Spread
from ..state.opt_out_ledger import OptOutLedger
from .question import SuppressionQuestion
from .unsynced import UnsyncedOptOuts


class SlotNumbers(NamedTuple):
    """The keys by which opt-outs on a slot are found: those of its own content, and those of its record's other slots.

    An opt-out on the others reaches the slot by the flag that it raises on the record.
    """

    own: tuple[str, ...]
    others: tuple[str, ...] = ()

    @classmethod
    def of(cls, view: RecordView, slot: Slot) -> SlotNumbers:
        """Return those of a slot."""
        own = view.e164s(slot)
        if view.shape.spread is not Spread.FLAGS or not view.shape.own_flags():
            return cls(own)
        return cls(own, tuple(key for key in view.all_e164s() if key not in own))


class SlotOptOuts:
    """Tells for the slots of one account what blocks them now.

    ``ledger`` is the account's, None where no sync has been there.
    """

    def __init__(self, question: SuppressionQuestion, unsynced: UnsyncedOptOuts, ledger: OptOutLedger | None) -> None:
        self._question = question
        self._unsynced = unsynced
        self._ledger = ledger

    def find(self, shape: ObjectShape, asked: Sequence[SlotNumbers]) -> list[Found]:
        """Return what blocks each of the slots, which are those of records of one object, by the numbers it is by."""
        blocks = self._find_blocks(set(chain.from_iterable((*slot.own, *slot.others) for slot in asked)))
        if not blocks:
            return [{} for _ in asked]
        blocks = {number: count_as(each, shape) for number, each in blocks.items()}

        switchboards = self._find_switchboards(shape, {key for slot in asked for key in slot.others if key in blocks})
        return [
            {key: blocks[key] for key in (*slot.own, *slot.others) if key in blocks and key not in switchboards}
            | {key: blocks[key] for key in slot.own if key in blocks}
            for slot in asked
        ]

    def _find_blocks(self, numbers: Collection[str]) -> dict[str, list[Block]]:
        found = self._question.find(numbers)
        for number, blocks in self._unsynced.find(numbers).items():
            found[number] = [*found.get(number, ()), *blocks]
        return found

    def _find_switchboards(self, shape: ObjectShape, numbers: Collection[str]) -> frozenset[str]:
        """Return those of the numbers that so many records hold that an opt-out on them raises no flag."""
        if self._ledger is None or not numbers:
            return frozenset()
        holders = self._ledger.count_holders(numbers)
        return frozenset(number for number, count in holders.items() if count > shape.spread_limit)
