"""Numbers and files that are screened without a CRM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ringfence.connectors.spreadsheet import CellVerdict, ScreenOptions
from ringfence.connectors.spreadsheet import Summary as FileSummary
from ringfence.connectors.spreadsheet import screen_file as screen_table
from ringfence.core.errors import ErrorCode, QuotaError, UsageError
from ringfence.core.model.verdicts import Status, Verdict, judge
from ringfence.core.numbers import Number, mask_text, read_number
from ringfence.core.numbers.regions import read_region
from ringfence.core.ports.lookup import Lookup
from ringfence.core.runs.progress import NoProgress, Progress
from ringfence.core.runs.screening_run import ScreeningJob, open_screening
from ringfence.core.screening.screening import Question, Screening, no_ledger
from ringfence.core.suppression.question import ask_ledger

from ..wiring import Wiring
from .door import BuyForFile, Door
from .lookups import open_lookups


@dataclass(frozen=True, slots=True)
class ScreenedNumber:
    """One number, its verdict (None where its lookup failed for now) and how many lookups were bought for it.

    ``left_out`` tells that consent does not cover the purpose that was asked for: nothing was looked up, and the
    verdict is None unless it is that nobody may contact the number.
    """

    number: Number
    verdict: Verdict | None
    lookups: int
    left_out: bool = False


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


def screen_number(
    wiring: Wiring,
    text: str,
    door: Door,
    *,
    region: str | None = None,
    offline: bool = False,
    sandbox: bool = False,
    purpose: str | None = None,
) -> ScreenedNumber:
    """Screen one number as it stands in a CRM, and return its verdict. What opted out is never bought.

    ``region`` is the ISO 3166 region of a national number. ``offline`` asks no provider, also where one is configured.
    ``sandbox`` asks the opt-outs of the sandbox accounts. With a ``purpose``, a number is left out that no record holds
    whose consent covers it. Raises the errors of the wiring, and what the providers raise.
    """
    number = read_number(text, region)
    screened = Screened("lookup", {"number": mask_text(text), "purpose": purpose}, sandbox)
    if purpose is not None and not _has_consent(wiring, number, purpose, sandbox=sandbox):
        return _leave_out(wiring, number, door, screened)

    with (
        open_lookups([] if offline else wiring.lookups()) as lookups,
        _open_screening(wiring, lookups, door, screened) as screening,
    ):
        facts = screening.screen([Question(number)])[number]
        if facts is None and screening.outage is not None:
            raise screening.outage
        if facts is None and screening.cap is not None:
            raise screening.cap.error()
        verdict = screening.judge({number: facts}).get(number)
    return ScreenedNumber(number, verdict, screening.tally.lookups)


def _has_consent(wiring: Wiring, number: Number, purpose: str, *, sandbox: bool) -> bool:
    """Return whether a record that holds the number consents to the purpose; where there is no state, none is known."""
    if not purpose.strip():
        raise UsageError("The purpose is empty.", "Name one as the mapping does under `consent`, such as marketing.")
    store = wiring.open_state_if_there() if number.e164 else None
    if store is None:
        return False
    with closing(store):
        question = ask_ledger(store, wiring.settings.ledger or "", wiring.clock, sandbox=sandbox)
        return bool(question.find_consenting(list(filter(None, [number.e164])), purpose))


def _leave_out(wiring: Wiring, number: Number, door: Door, screened: Screened) -> ScreenedNumber:
    """Return the number without a verdict, unless that is that nobody may contact it, whatever the purpose."""
    with _open_screening(wiring, [], door, screened) as screening:
        facts = screening.screen([Question(number)])[number]
    verdict = judge(facts) if facts else None
    silent = verdict is not None and verdict.status is Status.DO_NOT_CONTACT
    return ScreenedNumber(number, verdict if silent else None, 0, left_out=True)


def confirm_file_cost(wiring: Wiring, cells: int, door: Door) -> None:
    """Ask whether a file of about so many phone cells may be looked up, at what it costs at most.

    Raises the errors of the wiring, and UsageError where the door does not confirm.
    """
    caps = wiring.settings.lookup.caps()
    with open_lookups(wiring.lookups()) as lookups:
        price = sum(each.price for each in lookups)

    allowance = caps.allowance(price)
    numbers = cells if allowance is None else min(cells, allowance[0])
    door.confirm(BuyForFile(numbers, f"{numbers * price:,.2f} {caps.currency}", capped=caps.any_set))


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
        _open_screening(wiring, lookups, door, screened, progress) as screening,
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


class Screened(NamedTuple):
    """How a screening stands in the history, and whose opt-outs it asks."""

    door: str
    options: Mapping[str, Any]
    sandbox: bool


@contextmanager
def _open_screening(
    wiring: Wiring, lookups: Sequence[Lookup], door: Door, screened: Screened, progress: Progress | None = None
) -> Iterator[Screening]:
    """Yield a screening that no CRM belongs to. Where there is no state yet and nothing to keep in it, none is made."""
    told, currency = progress or NoProgress(), wiring.settings.lookup.currency
    store = wiring.open_state() if lookups else wiring.open_state_if_there()
    if store is None:
        yield Screening(wiring.clock, no_ledger)
        return

    job = ScreeningJob(
        door=screened.door,
        store=store,
        clock=wiring.clock,
        max_age=wiring.policy().max_age,
        lookups=lookups,
        caps=wiring.settings.lookup.caps(),
        ledger=wiring.settings.ledger or "",
        sandbox=screened.sandbox,
        on_answer=lambda bought, cost: told.bought(bought, cost, currency),
        explain=door.explain,
        options=screened.options,
    )
    with closing(store), open_screening(job) as screening:
        yield screening


class CellScreener:
    """Screens cells for :func:`ringfence.connectors.spreadsheet.screen_file`."""

    def __init__(self, screening: Screening) -> None:
        self._screening = screening

    def screen(self, cells: Sequence[tuple[str, str | None]]) -> Sequence[CellVerdict | None]:
        """Return a verdict for each cell, given as (text, ISO 3166 region or None).

        None stands for a cell whose lookup failed for now or was cut off by the budget. Raises what leaves no provider
        to ask.
        """
        numbers = [read_number(text, region) for text, region in cells]
        facts_by_number = self._screening.screen(Question(number) for number in numbers)
        if self._screening.outage is not None:
            raise self._screening.outage

        verdicts = self._screening.judge(facts_by_number)
        return [CellVerdict.of(verdicts[number], number) if number in verdicts else None for number in numbers]
