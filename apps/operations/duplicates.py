"""Numbers that several records hold, within and across objects and CRMs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ringfence.core.ports.crm import Depth
from ringfence.core.runs.duplicates import DuplicatesJob, HolderCount, SharedNumber, count_holders

from ..wiring import Wiring
from .door import Door
from .preflight import require_ready
from .sources import choose_accounts, of_one_kind, open_sources


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What was found: the numbers shown, out of so many that are shared, in so many records of these accounts."""

    accounts: Sequence[str]
    records: int
    shared: int
    numbers: Sequence[SharedNumber]


def find_duplicates(
    wiring: Wiring,
    crm: str | None,
    door: Door,
    *,
    mapping: Path | None = None,
    sandbox: bool = False,
    least: int = 2,
    limit: int = 100,
) -> Duplicates:
    """Read an account, or all that are configured, and return the numbers that at least so many records hold.

    Nothing is written anywhere. Where several accounts are read, the production ones or with ``sandbox`` the sandboxes,
    each object is named with its account. Raises UsageError where there is none, the errors of the wiring and of the
    preflight, and what the CRM raises.
    """
    with ExitStack() as closed:
        sources = open_sources(wiring, choose_accounts(wiring, crm, mapping), mapping, closed)
        if crm is None:
            sources = of_one_kind(sources, sandbox=sandbox)
        count = closed.enter_context(HolderCount())
        with door.progress("duplicates") as progress:
            for source in sources:
                findings = source.connection.crm.check(Depth.PREVIEW)
                require_ready([each for each in findings if not each.in_preview], source.connection.account)
                prefix = f"{source.connection.account}/" if len(sources) > 1 else ""
                connection = source.connection
                job = DuplicatesJob(connection.crm, connection.shapes, prefix, progress, door.must_end)
                count_holders(job, count)
        names = [source.connection.account for source in sources]
        return Duplicates(names, count.records, count.count_shared(least), list(count.shared(least, limit)))
