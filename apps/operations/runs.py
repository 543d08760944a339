"""What writes to a CRM: a sync, a plan file that is applied, a run that is taken back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ringfence.core.errors import CostError, UsageError
from ringfence.core.ports.crm import Depth, Org
from ringfence.core.runs.apply_plan import apply_plan as run_plan
from ringfence.core.runs.ending import describe_end
from ringfence.core.runs.partitioned import run_partitioned
from ringfence.core.runs.progress import Progress
from ringfence.core.runs.run import NOTHING_TAKEN_IN, SyncJob, TakenIn
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.runs.undo import UndoSummary
from ringfence.core.runs.undo import undo_run as run_undo
from ringfence.core.state.audit import AuditAction
from ringfence.core.state.jobs.workers import registered
from ringfence.core.state.run_history import find_run
from ringfence.core.state.store import Store

from ..config_files import find_clocks, find_evidence_rules
from ..wiring import Connection, Wiring
from .accounts import account_of, warn_of_twins
from .audit import enter_act
from .door import BuyLookups, Door, Rescreen, TakeBack
from .first_write_gate import confirm_first_plan, confirm_first_sync
from .lookups import open_lookups
from .parts import divide_run
from .preflight import require_ready, warn_of_preview


@dataclass(frozen=True, slots=True)
class Account:
    """A CRM account and its open state: all that a run on it needs."""

    wiring: Wiring
    connection: Connection
    org: Org
    store: Store
    warnings: Sequence[str] = ()
    taken_in: TakenIn = NOTHING_TAKEN_IN


def sync_crm(
    wiring: Wiring,
    crm: str,
    options: SyncOptions,
    door: Door,
    *,
    mapping: Path | None = None,
    policy: str | None = None,
    taken_in: TakenIn = NOTHING_TAKEN_IN,
) -> Summary:
    """Sync one account, after asking what has to be asked, and return what the run did.

    ``mapping`` replaces the configured mapping; ``policy`` is the name of a preset or a file, None for the configured
    one; ``taken_in`` tells what was done where the opt-outs of several accounts came first. Raises what
    :func:`ringfence.core.runs.sync.run_sync` does, the errors of the wiring and of the preflight, and UsageError when
    the door does not confirm: where it does not agree to a cost, once everything else is done.
    """
    wiring = wiring.of(crm)
    connection = wiring.connect(crm, mapping)
    wiring.policy(policy)  # a wrong name is refused before anything is called

    depth = Depth.PREVIEW if options.dry_run else Depth.SYNC
    with (
        closing(wiring.open_state()) as store,
        # Where nobody watches, another worker is to notice soon that the machine is gone.
        registered(store, wiring.clock, ()) if door.unattended else nullcontext(),
        ready_account(wiring, connection, store, door, depth) as account,
    ):
        account = replace(account, taken_in=taken_in)
        if not options.dry_run:
            _confirm_first_sync(account, options, door, policy)
        if options.rescreen and not options.dry_run:
            options = _confirm_rescreen(account, options, door, policy)

        try:
            return run_sync_job(account, options, door, policy=policy)
        except CostError as withheld:
            agreed = _confirm_cost(withheld, door)
        # What was withheld waits, and so this reads little else; no more is bought than was agreed to.
        again = replace(options, full=False, rescreen=False, confirm_cost=True, partitions=None)
        return run_sync_job(account, again, door, policy=policy, agreed=agreed)


def run_sync_job(
    account: Account, options: SyncOptions, door: Door, *, policy: str | None = None, agreed: int | None = None
) -> Summary:
    """Run one sync on an account that is ready. Connects the lookup providers for it and closes them.

    ``agreed`` is how many lookups a person has agreed to, where no cap is set.
    """
    wiring, caps = account.wiring, account.wiring.settings.lookup.caps()
    may_buy = caps.may_buy(agreed=options.confirm_cost, unattended=door.unattended)
    title = f"{'dry run of' if options.dry_run else 'sync'} {account.connection.account}"

    with open_lookups(wiring.lookups()) as lookups, door.progress(title) as progress:
        job = replace(
            make_job(account, door, progress, policy),
            lookups=lookups,
            caps=caps if agreed is None else replace(caps, max_lookups=agreed),
            withhold=bool(lookups) and not may_buy,
        )
        if options.partitions is None or options.dry_run:
            return run_sync(job, replace(options, partitions=None))
        engine = wiring.open_jobs(account.store)
        divided = divide_run(account.connection, job, options.partitions, engine, works_along=door.unattended)
        return run_partitioned(job, options, divided)


def apply_plan(wiring: Wiring, crm: str, plan: Path, door: Door, *, mapping: Path | None = None) -> Summary:
    """Write what a plan file says and nothing else, and return what the run did.

    Raises what :func:`ringfence.core.runs.apply_plan.apply_plan` does, the errors of the wiring and of the preflight,
    and UsageError when the door does not confirm.
    """
    wiring = wiring.of(crm)
    connection = wiring.connect(crm, mapping)
    wiring.policy()  # a wrong name is refused before anything is called

    with closing(wiring.open_state()) as store, ready_account(wiring, connection, store, door) as account:
        confirm_first_plan(store, account.org, plan, wiring.clock.now(), door.confirm)

        with door.progress(f"apply {plan.name}") as progress:
            job = make_job(account, _entering(account, door, AuditAction.APPLY, f"plan {plan.name}"), progress)
            return run_plan(job, plan)


def undo_run(
    wiring: Wiring, run_id: str, door: Door, *, mapping: Path | None = None, dry_run: bool = False
) -> UndoSummary:
    """Take a run back where it still stands, and return what was set back and what was kept.

    ``run_id`` is an id of the history, or its beginning or end. Raises what
    :func:`ringfence.core.runs.undo.undo_run` does, the errors of the wiring and of the preflight, and UsageError for an
    unknown id or when the door does not confirm.
    """
    with closing(wiring.open_state()) as store:
        run = find_run(store, run_id)
        if run.org_id is None:
            raise UsageError(f"Run {run.id} ({run.crm}) wrote to no CRM: there is nothing to take back.")
        wiring = wiring.of(account_of(wiring, store, run))
        connection = wiring.connect(wiring.name, mapping)

        depth = Depth.PREVIEW if dry_run else Depth.SYNC
        with ready_account(wiring, connection, store, door, depth) as account:
            if account.org.production and not dry_run:
                door.confirm(TakeBack(account.org, run))
            with door.progress(f"undo {run.id}") as progress:
                logged = door if dry_run else _entering(account, door, AuditAction.UNDO, f"run {run.id}")
                return run_undo(make_job(account, logged, progress), run, dry_run=dry_run)


def _entering(account: Account, door: Door, action: AuditAction, subject: str) -> Door:
    """Return the door that enters an act into the audit log as soon as its run is in the history: before it writes."""

    def began(summary: Any) -> None:
        enter_act(account.store, account.wiring, door, action, f"{subject}, by run {summary.run_id}")
        door.began(summary)

    return replace(door, began=began)


@contextmanager
def ready_account(
    wiring: Wiring, connection: Connection, store: Store, door: Door, depth: Depth = Depth.SYNC, *, warn: bool = True
) -> Iterator[Account]:
    """Yield the account once its preflight has found no problem; close the connection at the end.

    A preview goes on without what a set-up creates, and without the right to write; the door is told so, unless not to
    ``warn``.
    """
    with closing(connection.crm) as crm:
        org = crm.identify()
        findings = crm.check(depth)
        preview = depth is Depth.PREVIEW
        require_ready([each for each in findings if not (preview and each.in_preview)], connection.account)

        warnings = [*warn_of_twins(wiring, store, connection.account, org)]
        warnings += warn_of_preview(findings) if preview else []
        for warning in warnings if warn else ():
            door.warn(warning)
        yield Account(wiring, connection, org, store, warnings)


def make_job(account: Account, door: Door, progress: Progress, policy: str | None = None) -> SyncJob:
    return SyncJob(
        crm=account.connection.crm,
        org=account.org,
        shapes=account.connection.shapes,
        store=account.store,
        policy=account.wiring.policy(policy),
        clock=account.wiring.clock,
        progress=progress,
        explain=door.explain,
        word=door.word,
        began=door.began,
        must_end=door.must_end,
        warnings=account.warnings,
        account=account.connection.account,
        ledger=account.wiring.settings.ledger or "",
        taken_in=account.taken_in,
        clocks=partial(find_clocks, account.wiring.settings.mappings),
        evidence=find_evidence_rules(account.wiring.settings.mappings),
    )


def _confirm_rescreen(account: Account, options: SyncOptions, door: Door, policy: str | None) -> SyncOptions:
    """Ask whether everything may be screened again, at the cost that a dry run finds; return the options, agreed to.

    Opt-outs wait for nobody's word: where nobody can be asked about the cost, a plain sync enforces them.
    """
    capped = account.wiring.settings.lookup.caps().any_set
    # Of the run that only finds out the cost nobody is told but by the question.
    unseen = replace(door, began=lambda _summary: None)
    cost = run_sync_job(account, replace(options, dry_run=True), unseen, policy=policy)
    try:
        door.confirm(Rescreen(account.org, cost, capped, options.confirm_cost))
    except CostError as withheld:
        summary = run_sync_job(account, replace(options, rescreen=False), door, policy=policy)
        summary.complete, summary.end = False, describe_end(withheld, door.word)
        raise
    return replace(options, confirm_cost=True)


def _confirm_first_sync(account: Account, options: SyncOptions, door: Door, policy: str | None) -> None:
    """Ask before the first sync that writes to a production org, with what a preview says that it would do."""

    def preview() -> Summary:
        unseen = replace(door, began=lambda _summary: None)
        return run_sync_job(account, replace(options, dry_run=True), unseen, policy=policy)

    confirm_first_sync(account.store, account.org, options, account.wiring.clock.now(), door.confirm, preview)


def _confirm_cost(withheld: CostError, door: Door) -> int:
    """Ask whether what a run has withheld may be bought, and return how many lookups that is.

    Raises the run's own error where nobody agrees.
    """
    lookups = int(withheld.details["lookups"])
    try:
        door.confirm(BuyLookups(lookups, str(withheld.details["cost"])))
    except UsageError:
        raise withheld from None
    return lookups
