"""Files that are screened without a CRM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ringfence.connectors.spreadsheet.options import ScreenOptions
from ringfence.connectors.spreadsheet.screener import CellVerdict
from ringfence.connectors.spreadsheet.screening import Summary as FileSummary
from ringfence.connectors.spreadsheet.screening import screen_file as screen_table
from ringfence.core.errors import ErrorCode, QuotaError, UsageError
from ringfence.core.numbers import read_number
from ringfence.core.screening.prices import describe_cost, price_of, refuse_unpriced
from ringfence.core.screening.screening import Question, Screening

from ..wiring import Wiring
from .door import BuyForFile, Door
from .lookups import open_lookups
from .screening import Screened, open_screening_of


@dataclass(frozen=True, slots=True)
class ScreenedFile:
    """What became of a file, and what it cost.

    ``complete`` is False where a cap of lookups cut it off, which ``stopped`` tells, or lookups failed for now.
    """

    summary: FileSummary
    with_providers: bool
    complete: bool
    lookups: int
    cache_hits: int
    duration_s: float
    stopped: QuotaError | None = None


def confirm_file_cost(wiring: Wiring, cells: int, door: Door) -> None:
    """Ask whether a file of about so many phone cells may be looked up, at what it costs at most.

    Raises the errors of the wiring, and UsageError where the door does not confirm.
    """
    caps = wiring.settings.lookup.caps()
    with open_lookups(wiring.lookups()) as lookups:
        refuse_unpriced(caps, lookups)
        price = sum(map(price_of, lookups))
        known = all(each.price is not None for each in lookups)

    allowance = caps.allowance(price)
    numbers = cells if allowance is None else min(cells, allowance[0])
    cost = describe_cost(numbers * price if known else None, caps.currency)
    door.confirm(BuyForFile(numbers, cost, capped=caps.any_set))


def screen_file(
    wiring: Wiring,
    file: Path,
    target: Path,
    options: ScreenOptions,
    door: Door,
    *,
    with_providers: bool = False,
    sandbox: bool = False,
) -> ScreenedFile:
    """Screen the phone numbers of a CSV or Excel file into a new file, and return what became of them.

    Nothing is bought unless ``with_providers``, and never what opted out. ``sandbox`` asks the opt-outs of the sandbox
    accounts. Raises UsageError when no provider is configured then, FileError for a
    file that cannot be read or written, the errors of the wiring, and what the providers raise.
    """
    providers = wiring.lookups() if with_providers else []
    if with_providers and not providers:
        raise UsageError("Lookups are wanted, and no provider is configured.", code=ErrorCode.NO_PROVIDER)
    # Whoever asks for lookups has agreed to them; where nobody is there it takes more.
    if providers and not wiring.settings.lookup.caps().may_buy(agreed=True, unattended=door.unattended):
        raise UsageError(
            "Lookups are wanted where nobody is there, and nothing holds down what they cost a day: none was bought.",
            code=ErrorCode.LOOKUPS_NOT_AGREED,
        )

    screened = Screened("screen", {"file": file.name}, sandbox)
    with (
        open_lookups(providers) as lookups,
        door.progress(f"screen {file.name}") as progress,
        open_screening_of(wiring, lookups, door, screened, progress) as screening,
    ):
        started = wiring.clock.monotonic()
        summary = screen_table(file, target, options, CellScreener(screening), progress.at, wiring.clock)

    return ScreenedFile(
        summary,
        with_providers=bool(lookups),
        complete=not screening.exhausted and not screening.tally.failed,
        lookups=screening.tally.lookups,
        cache_hits=screening.tally.cache_hits,
        duration_s=wiring.clock.monotonic() - started,
        stopped=screening.cap.error() if screening.cap is not None else None,
    )


class CellScreener:
    """Screens cells for :func:`ringfence.connectors.spreadsheet.screening.screen_file`."""

    def __init__(self, screening: Screening) -> None:
        self._screening = screening

    def screen(self, cells: Sequence[tuple[str, str | None]], times: Sequence[int]) -> Sequence[CellVerdict | None]:
        """Return a verdict for each cell, given as (text, ISO 3166 region or None); it stands there so many ``times``.

        None stands for a cell whose lookup failed for now or was cut off by the budget. Raises what leaves no provider
        to ask.
        """
        numbers = [read_number(text, region) for text, region in cells]
        facts_by_number = self._screening.screen(
            Question(number, times=count) for number, count in zip(numbers, times, strict=True)
        )
        if self._screening.outage is not None:
            raise self._screening.outage

        verdicts = self._screening.judge(facts_by_number)
        return [CellVerdict.of(verdicts[number], number) if number in verdicts else None for number in numbers]
