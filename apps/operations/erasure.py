"""One number, for the person whose it is: all that is held about it, and all of it gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime

from ringfence.core.model.blocks import Block, Entry
from ringfence.core.numbers import mask
from ringfence.core.state.audit import Act, AuditAction, AuditLog
from ringfence.core.state.consents import GivenBy
from ringfence.core.state.destructions import Destruction, end_destruction
from ringfence.core.state.erasure import Holder, count_batches, erase_number, find_holders
from ringfence.core.state.evidence import Evidence
from ringfence.core.state.held_about import HeldAbout, HeldChange, HeldExecution, HeldFact, HeldFlag, HeldReview
from ringfence.core.state.store import Store
from ringfence.core.suppression.question import SuppressionQuestion

from ..wiring import Wiring
from .door import Door, EraseNumber
from .numbers import read_one
from .state import recorded
from .suppression import ledger_of, read_reason


@dataclass(frozen=True, slots=True)
class ErasedNumber:
    """A number that was erased, masked: the rows by table, and whether something keeps it silent all the same.

    ``records`` are those of CRMs that hold it still; ringfence leaves them as they are. ``is_overwritten`` tells that
    no copy is left in the database's files.
    """

    number: str
    rows: Counter[str]
    suppressed: bool
    records: Sequence[Holder]
    is_overwritten: bool
    record: str


@dataclass(frozen=True, slots=True)
class Held:
    """What is held about a number, in full; ``changes`` are read while they are asked for."""

    number: str
    erased_at: datetime | None
    blocks: Sequence[Block]
    facts: Sequence[HeldFact]
    entries: Sequence[Entry]
    listings: Sequence[Block]
    flags: Sequence[HeldFlag]
    records: Sequence[Holder]
    consents: Sequence[GivenBy]
    reviews: Sequence[HeldReview]
    evidence: Sequence[Evidence]
    executions: Sequence[HeldExecution]
    changes: Iterator[HeldChange]
    about: HeldAbout


def erase_one(wiring: Wiring, text: str, reason: str, region: str | None, door: Door) -> ErasedNumber:
    """Erase a number from the state, once the door has confirmed it; see :func:`erase_number`.

    Raises UsageError where the text is not certainly one number, or no reason is given, and BusyError while a run is at
    work.
    """
    reason, e164 = read_reason(reason), read_one(wiring, text, region)
    with closing(wiring.open_state()) as store:
        records, suppressed = find_holders(store, e164), bool(_find_blocks(store, wiring, e164))
        door.confirm(EraseNumber(mask(e164), len(records), suppressed))

        with (
            recorded(store, wiring, door, {"erased": True}, dry_run=False) as (run_id, summary),
            door.progress("erase") as progress,
        ):
            progress.phase("changes", count_batches(store))
            destruction = Destruction(run_id, AuditAction.ERASE, door.author, mask(e164), reason)
            erased = erase_number(store, e164, destruction, wiring.clock.now(), progress.advance)
            summary["erased"] = dict(erased.rows)
            end_destruction(store, run_id, erased.rows, wiring.clock.now())
    return ErasedNumber(mask(e164), erased.rows, suppressed, records, erased.is_overwritten, run_id)


@contextmanager
def export_held(wiring: Wiring, text: str, region: str | None, door: Door) -> Iterator[Held]:
    """Yield all that is held about a number; that it was shown stands in the audit log.

    Raises UsageError where the text is not certainly one number.
    """
    e164 = read_one(wiring, text, region)
    with closing(wiring.open_state()) as store:
        about = HeldAbout(store, e164)
        act = Act(wiring.clock.now(), door.author, AuditAction.EXPORT, f"all that is held about {mask(e164)}")
        with store.transaction() as connection:
            AuditLog(store.keyring).append(connection, act)
        yield Held(
            e164,
            about.erased_at(),
            _find_blocks(store, wiring, e164),
            about.facts(),
            about.entries(),
            about.listings(),
            about.flags(),
            find_holders(store, e164),
            about.consents(),
            about.reviews(),
            about.evidence(),
            about.executions(),
            about.changes(),
            about,
        )


def _find_blocks(store: Store, wiring: Wiring, e164: str) -> list[Block]:
    """Return what blocks a number for accounts of either kind, each once."""
    found: dict[Block, None] = {}
    for production in (True, False):
        question = SuppressionQuestion(store, ledger_of(wiring), wiring.clock, production=production)
        found.update(dict.fromkeys(question.find([e164]).get(e164, [])))
    return list(found)
