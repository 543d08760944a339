"""Numbers and files that are screened without a CRM."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ringfence.connectors.spreadsheet import CellVerdict, ScreenOptions
from ringfence.connectors.spreadsheet import Summary as FileSummary
from ringfence.connectors.spreadsheet import screen_file as screen_table
from ringfence.core.errors import ErrorCode, UsageError
from ringfence.core.model.verdicts import Verdict, judge
from ringfence.core.numbers import Number, read_number
from ringfence.core.numbers.regions import read_region
from ringfence.core.ports.lookup import Lookup
from ringfence.core.screening.buying import BuyingGateway
from ringfence.core.screening.gateway import KnownAnswers
from ringfence.core.screening.screening import Question, Screening, no_ledger
from ringfence.core.state.journal import new_run_id
from ringfence.core.state.lookup_cache import LookupCache

from ..wiring import Wiring
from .door import Door
from .lookups import open_lookups


@dataclass(frozen=True, slots=True)
class ScreenedNumber:
    """One number, its verdict (None where its lookup failed for now) and how many lookups were bought for it."""

    number: Number
    verdict: Verdict | None
    lookups: int


@dataclass(frozen=True, slots=True)
class ScreenedFile:
    """What became of a file, and what it cost. ``complete`` is False where the budget of lookups cut it off."""

    summary: FileSummary
    with_providers: bool
    complete: bool
    lookups: int
    cache_hits: int
    duration_s: float


def home_region(wiring: Wiring, region: str | None) -> str | None:
    """Return the ISO 3166 region of national numbers: the named country, else the default one, else None.

    ``region`` is a code or an English name. Raises UsageError when it is neither.
    """
    if not region:
        return wiring.settings.default_region

    found = read_region(region)
    if found is None:
        raise UsageError(f"{region!r} is no country.", "Use a code such as US, or an English name.")
    return found


def screen_number(wiring: Wiring, text: str, *, region: str | None = None, offline: bool = False) -> ScreenedNumber:
    """Screen one number as it stands in a CRM, and return its verdict.

    ``region`` is the ISO 3166 region of a national number. ``offline`` asks no provider, also where one is configured.
    Raises the errors of the wiring, and what the providers raise.
    """
    number = read_number(text, region)

    with open_lookups([] if offline else wiring.lookups()) as lookups, _open_screening(wiring, lookups) as screening:
        facts = screening.screen([Question(number)])[number]
    return ScreenedNumber(number, judge(facts) if facts else None, screening.tally.lookups)


def screen_file(
    wiring: Wiring, file: Path, target: Path, options: ScreenOptions, door: Door, *, with_providers: bool = False
) -> ScreenedFile:
    """Screen the phone numbers of a CSV or Excel file into a new file, and return what became of them.

    Nothing is bought unless ``with_providers``. Raises UsageError when no provider is configured then, FileError for a
    file that cannot be read or written, the errors of the wiring, and what the providers raise.
    """
    providers = wiring.lookups() if with_providers else []
    if with_providers and not providers:
        raise UsageError("Lookups are wanted, and no provider is configured.", code=ErrorCode.NO_PROVIDER)

    with open_lookups(providers) as lookups, _open_screening(wiring, lookups) as screening:
        started = wiring.clock.monotonic()
        with door.progress(f"screen {file.name}") as progress:
            summary = screen_table(file, target, options, CellScreener(screening), progress.at, wiring.clock)

    return ScreenedFile(
        summary,
        with_providers=bool(lookups),
        complete=not screening.exhausted,
        lookups=screening.tally.lookups,
        cache_hits=screening.tally.cache_hits,
        duration_s=wiring.clock.monotonic() - started,
    )


@contextmanager
def _open_screening(wiring: Wiring, lookups: Sequence[Lookup]) -> Iterator[Screening]:
    """Yield a screening that no CRM belongs to. The state is opened only where there are answers to keep in it."""
    with ExitStack() as stack:
        store = stack.enter_context(closing(wiring.open_state())) if lookups else None

        gateway = None
        if store is not None:
            cache = LookupCache(store, new_run_id(wiring.clock.now()))
            known = KnownAnswers(cache, lookups, wiring.policy().max_age)
            gateway = BuyingGateway(known, wiring.clock, max_lookups=wiring.settings.lookup.max_lookups)

        yield Screening(wiring.clock, no_ledger, gateway)


class CellScreener:
    """Screens cells for :func:`ringfence.connectors.spreadsheet.screen_file`."""

    def __init__(self, screening: Screening) -> None:
        self._screening = screening

    def screen(self, cells: Sequence[tuple[str, str | None]]) -> Sequence[CellVerdict | None]:
        """Return a verdict for each cell, given as (text, ISO 3166 region or None).

        None stands for a cell whose lookup failed for now or was cut off by the budget.
        """
        numbers = [read_number(text, region) for text, region in cells]
        facts_by_number = self._screening.screen(Question(number) for number in numbers)

        verdicts: list[CellVerdict | None] = []
        for number in numbers:
            facts = facts_by_number[number]
            verdicts.append(CellVerdict.of(judge(facts), number) if facts else None)
        return verdicts
