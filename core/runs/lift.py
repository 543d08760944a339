"""``suppress lift``: a person's reason ends the block on a number, and lowers its flags wherever they are up.

It is the only code that lowers a flag (docs/contract.md, section 4). All accounts are held from the first to the last
write, so that no sync raises again what is being lowered. Flags that ringfence raised come down first, those that
somebody set come last, and the entries are ended at the very end: whoever is killed on the way leaves a number that is
still suppressed, and running the lift again completes it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from ..errors import RingfenceError, StoppedError
from ..model.blocks import Channel
from ..numbers import mask
from ..ports.services import Clock
from ..state.run_history import new_run_id
from ..state.store import Store
from ..writing.lifting import LiftAuthority
from .ending import describe_end
from .lift_account import AccountLift, Target
from .lift_ledger import LedgerLift
from .lift_summary import Lifted, LiftSummary
from .mode import Live, Rehearsal
from .run import SyncJob, open_run

ROUNDS = 3
"""How often a flag that is still up is lowered: somebody may edit its record at that very moment."""


@dataclass(frozen=True, slots=True)
class LiftOrder:
    """Which number is to be lifted, by whose word and why.

    ``numbers`` are the keys that it may stand under, the number itself in E.164 first. ``jobs`` are the accounts of the
    ledger in which flags are looked for.
    """

    numbers: tuple[str, ...]
    ledger: str
    author: str
    reason: str
    jobs: Sequence[SyncJob] = ()

    @property
    def shown(self) -> str:
        """Return the number, masked."""
        return mask(self.numbers[0])


def run_lift(order: LiftOrder, store: Store, clock: Clock, *, dry_run: bool) -> Lifted:
    """Lift the block on a number and return what was done; in a dry run what would be.

    ``Lifted.error`` says what ended it early: then what is lowered is lowered, and the number is still suppressed. Only
    what interrupts the process, and a fault of the program, is raised.
    """
    lift = _Lift(order, store, clock, dry_run=dry_run)
    try:
        lift.run()
    except RingfenceError as error:
        lift.lifted.error = error
    return lift.lifted


class _Lift:
    def __init__(self, order: LiftOrder, store: Store, clock: Clock, *, dry_run: bool) -> None:
        self.lifted = Lifted(order.shown, dry_run)
        self._order = order
        self._clock = clock
        self._authority = LiftAuthority(order.author, order.reason)
        self._ledger = LedgerLift(store, order.ledger, clock, order.numbers, self._authority)

    def run(self) -> None:
        """Hold all accounts and work through them. One that cannot be entered keeps all from being begun."""
        stopped: StoppedError | None = None
        with ExitStack() as stack:
            try:
                self._work([self._enter(stack, job) for job in self._order.jobs])
            except StoppedError as error:  # passed on, it would end one of the runs and look like success to the others
                self._tell(error)
                stopped = error
        if stopped is not None:
            raise stopped

    def _enter(self, stack: ExitStack, job: SyncJob) -> AccountLift:
        dry_run = self.lifted.dry_run
        summary = LiftSummary(new_run_id(self._clock.now()), job.name, self._order.shown, dry_run)
        options = {"lift": self._order.shown}
        context = stack.enter_context(open_run(job, summary, options, Rehearsal() if dry_run else Live()))
        self.lifted.summaries.append(summary)
        return AccountLift(context, summary, self._order.numbers, self._authority)

    def _tell(self, error: StoppedError) -> None:
        for summary, job in zip(self.lifted.summaries, self._order.jobs, strict=False):
            summary.end = describe_end(error, job.word)
            summary.stopped = job.explain(error)

    def _work(self, accounts: Sequence[AccountLift]) -> None:
        for account in accounts:
            account.take_in_opt_outs()
        self.lifted.entries, listings = self._ledger.find_blocks()
        self.lifted.kept = listings + [block for account in accounts for block in account.find_withdrawn()]

        is_free = not self.lifted.kept
        if is_free:
            self._lower(accounts)
        for account in accounts:
            account.finish(is_free=is_free)
        if not self.lifted.dry_run:
            self._ledger.end(self.lifted.entries)

    def _lower(self, accounts: Sequence[AccountLift]) -> None:
        """Lower the flags; what else they covered gets entries before. Then look whether they are down."""
        for _ in range(1 if self.lifted.dry_run else ROUNDS):
            targets = [self._choose(account, accounts) for account in accounts]
            if not any(targets):
                break

            others = _find_others(each for theirs in targets for each in theirs if each.is_source)
            self.lifted.cover(others)
            if not self.lifted.dry_run:
                self._ledger.cover(others)
            for is_source in (False, True):
                for account, theirs in zip(accounts, targets, strict=True):
                    account.lower([each for each in theirs if each.is_source is is_source])

    def _choose(self, account: AccountLift, accounts: Sequence[AccountLift]) -> list[Target]:
        """Return the records whose flags come down: those of which no other number is opted out by somebody else."""
        targets = account.find_targets()
        others = {number for each in targets for number in each.others}
        flagged = {each for one in accounts for each in one.find_flagged()}
        asked_for = self._ledger.find_blocked(others) | account.find_covered(others, without=flagged)

        kept = [each for each in targets if not asked_for.isdisjoint(each.others)]
        account.keep_up(kept)
        return [each for each in targets if each not in kept]


def _find_others(sources: Iterable[Target]) -> dict[str, frozenset[Channel]]:
    """Return the further numbers that these flags cover, with the channels of the flags on each."""
    found: defaultdict[str, frozenset[Channel]] = defaultdict(frozenset)
    for each in sources:
        for number in each.others:
            found[number] |= each.channels
    return dict(found)
