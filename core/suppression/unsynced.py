"""Opt-outs that stand in a CRM and that no sync has taken into the ledger yet.

An export writes nothing down and waits for no sync of the account: it hears what was raised since for itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

from ..decisions.coverage import find_said
from ..decisions.messages import find_said_of_messages
from ..model.blocks import EVERY_WAY, Block, BlockKind, BlockSource, Channel
from ..model.record_view import RecordView
from ..model.shapes import ObjectShape
from ..model.verdicts import OptOut
from ..ports.crm import Page
from ..state.holdings import Key
from ..state.merged_records import MergedRecords
from ..state.opt_out_ledger import OptOutLedger
from ..state.store import Store
from .question import SuppressionQuestion


class Account(NamedTuple):
    """An account as the state knows it: the key of its org, the state's own id of that, and its ledger.

    Both are None where no run has been there.
    """

    key: str
    org_id: int | None
    ledger: OptOutLedger | None


class UnsyncedOptOuts:
    """The numbers under flags that somebody raised in an account, as far as the ledger does not know of them.

    Where no run has been in the account, the slots of a record tell whose its flag is. ``heard`` is number -> blocks;
    several accounts may share it.
    """

    def __init__(
        self, question: SuppressionQuestion, store: Store, org: Account, heard: dict[str, list[Block]]
    ) -> None:
        self._question = question
        self._store = store
        self._org_key = org.key
        self._ledger = org.ledger
        self._merged = MergedRecords(org.org_id, "") if org.org_id is not None else None
        self._heard = heard

    def hear(self, page: Page, shape: ObjectShape) -> None:
        """Take in the records of a page whose flag is up, or that withdrew consent."""
        found = [RecordView(record, shape) for record in page.records if shape.opts_out(record)]
        self.hear_of(found, gone=page.gone)

    def hear_of(self, views: Sequence[RecordView], *, gone: bool = False) -> None:
        """Take in these records, which tell of an opt-out; ``gone``: they were merged away, deleted or converted."""
        asking = self._leave_handed_over(views) if gone else self._leave_derived(views)
        raised: defaultdict[str, set[Channel]] = defaultdict(set)
        for view in asking:
            channels = EVERY_WAY if view.withdrawn else view.up
            for number in view.all_e164s():
                raised[number] |= channels

        known = self._question.find(raised)
        for number, asked in raised.items():
            blocks = [*known.get(number, ()), *self._heard.get(number, ())]
            for channel in asked.difference(block.channel for block in blocks):
                block = Block(BlockKind.OPTED_OUT, channel, BlockSource.CRM, self._org_key)
                self._heard.setdefault(number, []).append(block)

    def find(self, numbers: Collection[str]) -> dict[str, list[Block]]:
        """Return number -> the blocks on it, for those of the numbers that a flag heard here covers."""
        return {number: self._heard[number] for number in numbers if number in self._heard} if self._heard else {}

    def _leave_derived(self, views: Sequence[RecordView]) -> Sequence[RecordView]:
        """Leave out the records whose flag ringfence has raised: it covers nobody else's numbers."""
        refusing = [view for view in views if view.withdrawn]
        said = {view.key: {find_said(view), find_said_of_messages(view)} for view in views if not view.withdrawn}
        asking = [
            view
            for view in views
            if view.key in said and (OptOut.SHARED not in said[view.key] or OptOut.OWN in said[view.key])
        ]
        if not asking or self._ledger is None:
            return refusing + asking
        derived = self._ledger.look_up((), [view.key for view in asking]).derived
        return refusing + [view for view in asking if view.key not in derived]

    def _leave_handed_over(self, views: Sequence[RecordView]) -> Sequence[RecordView]:
        """Leave out the records whose opt-out was handed over before: a person may have lifted it since."""
        if not views or self._merged is None:
            return views
        with self._store.transaction() as connection:
            done: set[Key] = self._merged.find_handed_over(connection, [view.key for view in views])
        return [view for view in views if view.key not in done]
