"""Several accounts synced in turn: the opt-outs of all of them are taken in before the first is synced."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager

from ringfence.core.errors import RingfenceError
from ringfence.core.ports.crm import Depth
from ringfence.core.runs.opt_outs import take_in_account
from ringfence.core.runs.run import TakenIn
from ringfence.core.runs.sync import SyncOptions
from ringfence.core.state.store import Store

from ..wiring import Wiring
from .door import Door
from .runs import make_job, ready_account

logger = logging.getLogger(__name__)


@contextmanager
def opt_outs_of_all(
    wiring: Wiring, names: Sequence[str], options: SyncOptions, door: Door
) -> Iterator[Mapping[str, TakenIn]]:
    """Take the opt-outs of these accounts in and yield, for the block, what the sync of each has to know of that.

    An account that cannot be read keeps no other from its turn: the door is warned of what that leaves unheard, and
    its own sync tells the error. Nothing is told where the state cannot be opened.
    """
    with ExitStack() as held:
        taken: dict[str, TakenIn] = {}
        rehearsal: Store | None = None
        try:
            store = held.enter_context(closing(wiring.open_state()))
            if options.dry_run:
                rehearsal = held.enter_context(store.rehearsal())
        except RingfenceError as error:
            logger.info("opt-outs are not taken in first (%s)", type(error).__name__)
            names = ()

        for name in names:
            if door.must_end():
                break
            try:
                taken[name] = _take_in(wiring.of(name), name, store, options, door, rehearsal)
            except Exception as error:  # noqa: BLE001 - its own sync meets the same, and tells it
                logger.info("%s: opt-outs are not taken in first (%s)", name, type(error).__name__)
                door.warn(
                    f"The opt-outs of {name} could not be read before the others are synced: those set there since its "
                    "last sync reach the other accounts once it is synced again, and they after it."
                )
        if rehearsal is None:
            held.close()
        yield taken


def _take_in(
    wiring: Wiring, name: str, store: Store, options: SyncOptions, door: Door, rehearsal: Store | None
) -> TakenIn:
    connection = wiring.connect(name)
    depth = Depth.PREVIEW if options.dry_run else Depth.SYNC
    with (
        ready_account(wiring, connection, store, door, depth, warn=False) as account,
        door.progress(f"opt-outs of {name}") as progress,
    ):
        job = make_job(account, door, progress)
        return take_in_account(job, accept_opt_out_change=options.accept_opt_out_change, rehearsal=rehearsal)
