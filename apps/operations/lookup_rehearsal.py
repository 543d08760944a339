"""What numbers would cost to look up, found out without buying or keeping anything."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.core.errors import QuotaError
from ringfence.core.numbers import read_number
from ringfence.core.runs.screening_run import ScreeningJob, rehearse_screening
from ringfence.core.runs.spending import saved_to_json
from ringfence.core.screening.forecast import Forecast, forecast
from ringfence.core.screening.screening import Question, Screening
from ringfence.core.state.store import Store, open_store

from ..wiring import Wiring
from .lookups import open_lookups


@dataclass(frozen=True, slots=True)
class LookupRehearsal:
    """What would be bought, answered from the record and saved as duplicates.

    ``rows`` is how many rows a file has, None for a single number. ``stopped`` is the cap that would end the buying.
    """

    planned: Forecast
    cache_hits: int
    duplicates: int
    saved: dict[str, Any]
    currency: str
    rows: int | None = None
    stopped: QuotaError | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values (docs/contract.md, section 4); what would stop it is the door's to word."""
        rows = {} if self.rows is None else {"rows": self.rows}
        return {
            "dry_run": True,
            **rows,
            **self.planned.to_json(),
            "lookup_cache_hits": self.cache_hits,
            "lookup_duplicates": self.duplicates,
            "saved": self.saved,
            "currency": self.currency,
        }


def rehearse_number(
    wiring: Wiring, text: str, *, region: str | None = None, offline: bool = False, sandbox: bool = False
) -> LookupRehearsal:
    """Return what looking up one number would take, as it stands in a CRM. Nothing is bought, and nothing kept.

    ``region``, ``offline`` and ``sandbox`` are those of
    :func:`ringfence.apps.operations.screening.screen_number`. Raises the errors of the wiring, and StateError.
    """
    number = read_number(text, region)

    def look_up(screening: Screening) -> None:
        screening.screen([Question(number)])

    return rehearse(wiring, look_up, with_providers=not offline, sandbox=sandbox)


def rehearse(
    wiring: Wiring, look_up: Callable[[Screening], int | None], *, with_providers: bool, sandbox: bool
) -> LookupRehearsal:
    """Return what a screening would take; ``look_up`` carries it out and returns how many rows it had, None for none.

    Raises the errors of the wiring, StateError, and what ``look_up`` raises.
    """
    caps = wiring.settings.lookup.caps()
    with open_lookups(wiring.lookups() if with_providers else []) as lookups, _open_state(wiring) as store:
        job = ScreeningJob(
            door="dry run",
            store=store,
            clock=wiring.clock,
            policy=wiring.policy(),
            lookups=lookups,
            caps=caps,
            ledger=wiring.settings.ledger or "",
            sandbox=sandbox,
        )
        with rehearse_screening(job) as screening:
            rows = look_up(screening)

        tally = screening.tally
        return LookupRehearsal(
            forecast(tally, lookups),
            tally.cache_hits,
            tally.duplicates,
            saved_to_json(tally),
            caps.currency,
            rows,
            screening.cap.error() if screening.cap is not None else None,
        )


@contextmanager
def _open_state(wiring: Wiring) -> Iterator[Store]:
    """Yield the state store; where there is none yet, an empty one that is gone after the block."""
    if (store := wiring.open_state_if_there()) is not None:
        with closing(store):
            yield store
        return
    with (
        tempfile.TemporaryDirectory(prefix="ringfence-dry-run-", ignore_cleanup_errors=True) as folder,
        closing(open_store(f"sqlite:///{Path(folder, 'state.db')}")) as empty,
    ):
        yield empty
