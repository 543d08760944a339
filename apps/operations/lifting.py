"""The lift of a number for a door: which accounts it takes, what is asked before, and what it cannot reach."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace

from ringfence.core.model.blocks import Block, BlockSource
from ringfence.core.numbers import mask
from ringfence.core.ports.crm import Depth
from ringfence.core.runs.lift import LiftOrder, run_lift
from ringfence.core.runs.lift_summary import Lifted
from ringfence.core.runs.progress import Progress
from ringfence.core.runs.run import SyncJob
from ringfence.core.state.cursors import find_org
from ringfence.core.state.store import Store
from ringfence.core.suppression.question import SuppressionQuestion

from ..wiring import Wiring
from .door import Door, LiftNumber
from .numbers import read_any, read_one
from .runs import make_job, ready_account
from .suppression import ledger_of, read_reason


@dataclass(frozen=True, slots=True)
class LiftedNumber:
    """What a lift did, or would do.

    ``unknown`` are the configured accounts that no sync has been to, so that nothing is known of their records;
    ``left`` is what blocks the number all the same.
    """

    lifted: Lifted
    unknown: Sequence[str] = ()
    left: Sequence[Block] = field(default_factory=list)


def lift_number(
    wiring: Wiring, text: str, reason: str, door: Door, *, region: str | None = None, dry_run: bool = False
) -> LiftedNumber:
    """Lift the block on a number: end what people and signals entered, and lower its flags in every account.

    Only accounts of the same ledger are taken. The door is asked before, with a preview at hand. Raises UsageError for
    a number that cannot be read, without a reason, and where the door does not confirm; the errors of the wiring and of
    the preflight, before anything is done. What ends the lift later is told by the result.
    """
    reason = read_reason(reason)
    e164 = read_one(wiring, text, region)
    order = LiftOrder(
        tuple(dict.fromkeys([e164, *read_any(wiring, text, region).covers])), ledger_of(wiring), door.author, reason
    )

    with closing(wiring.open_state()) as store, ExitStack() as stack:
        rehearse = _Accounts(wiring, store, replace(door, began=lambda _summary: None), Depth.PREVIEW, stack)
        if dry_run:
            return rehearse.run(order)
        if not _is_futile(order, store, wiring):
            door.confirm(LiftNumber(mask(e164), lambda: rehearse.run(order).lifted))
        return _Accounts(wiring, store, door, Depth.SYNC, stack).run(order)


def _is_futile(order: LiftOrder, store: Store, wiring: Wiring) -> bool:
    """Return whether a register's list keeps the number silent, and nothing else is known that could be lifted."""
    found = SuppressionQuestion(store, order.ledger, wiring.clock, production=True).find(order.numbers)
    sources = {block.source for blocks in found.values() for block in blocks}
    return BlockSource.REGISTRY in sources and sources.isdisjoint({BlockSource.PERSON, BlockSource.SIGNAL})


class _Accounts:
    """The accounts of a ledger, connected once one lift asks for them and closed with ``stack``."""

    def __init__(self, wiring: Wiring, store: Store, door: Door, depth: Depth, stack: ExitStack) -> None:
        self._wiring = wiring
        self._store = store
        self._door = door
        self._depth = depth
        self._stack = stack

    def run(self, order: LiftOrder) -> LiftedNumber:
        """Carry out the lift, or rehearse it where the accounts are looked at for a preview."""
        unknown: list[str] = []
        dry_run = self._depth is Depth.PREVIEW
        with self._door.progress(f"{'preview of the lift' if dry_run else 'lift'} of {order.shown}") as progress:
            names = self._wiring.accounts()
            jobs = [job for name in names if (job := self._connect(name, progress, unknown.append))]
            done = run_lift(replace(order, jobs=jobs), self._store, self._wiring.clock, dry_run=dry_run)
        return LiftedNumber(done, unknown, [] if dry_run else self._find_left(order))

    def _connect(self, name: str, progress: Progress, tell: Callable[[str], None]) -> SyncJob | None:
        """Return what a run on the account needs; None where it is on another ledger, or no sync has been there."""
        wiring = self._wiring.of(name)
        if ledger_of(wiring) != ledger_of(self._wiring):
            return None
        connection = wiring.connect(name)
        if find_org(self._store, connection.crm.identify()) is None:
            connection.crm.close()
            tell(name)
            return None
        account = self._stack.enter_context(ready_account(wiring, connection, self._store, self._door, self._depth))
        return make_job(account, self._door, progress)

    def _find_left(self, order: LiftOrder) -> list[Block]:
        """Return what blocks the number afterwards, whichever accounts are asked."""
        found: dict[Block, None] = {}
        for production in (True, False):
            question = SuppressionQuestion(self._store, order.ledger, self._wiring.clock, production=production)
            found.update(dict.fromkeys(block for blocks in question.find(order.numbers).values() for block in blocks))
        return list(found)
