"""A number that is screened without a CRM, and what every such screening has in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from ringfence.core.clock import whole_seconds
from ringfence.core.decisions.explaining import Explanation, Said, explain
from ringfence.core.errors import UsageError
from ringfence.core.model.axes import Evidence
from ringfence.core.model.blocks import Channel
from ringfence.core.model.verdicts import Facts, Status, Verdict, judge
from ringfence.core.numbers import Number, mask_numbers, mask_text, read_number
from ringfence.core.ports.lookup import Lookup
from ringfence.core.runs.progress import NoProgress, Progress
from ringfence.core.runs.screening_run import ScreeningJob, open_screening
from ringfence.core.screening.screening import Question, Screening, no_ledger
from ringfence.core.state.held_about import HeldAbout
from ringfence.core.suppression.question import ask_ledger

from ..config_files import find_evidence_rules
from ..wiring import Wiring
from .door import Door
from .lookups import open_lookups

MOST_HEARD = 50
"""Calls and messages that an explanation lists: the latest ones."""


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
    explanation: Explanation | None = None


def screen_number(
    wiring: Wiring,
    text: str,
    door: Door,
    *,
    region: str | None = None,
    offline: bool = False,
    sandbox: bool = False,
    purpose: str | None = None,
    explained: bool = False,
) -> ScreenedNumber:
    """Screen one number as it stands in a CRM, and return its verdict. What opted out is never bought.

    ``region`` is the ISO 3166 region of a national number. ``offline`` asks no provider, also where one is configured.
    ``sandbox`` asks the opt-outs of the sandbox accounts. With a ``purpose``, a number is left out that no record holds
    whose consent covers it. ``explained`` adds why the verdict is what it is. Raises the errors of the wiring, and what
    the providers raise.
    """
    number = read_number(text, region)
    screened = Screened("lookup", {"number": mask_text(text), "purpose": purpose}, sandbox)
    if purpose is not None and not _has_consent(wiring, number, purpose, sandbox=sandbox):
        return _leave_out(wiring, number, door, screened)

    with (
        open_lookups([] if offline else wiring.lookups()) as lookups,
        open_screening_of(wiring, lookups, door, screened) as screening,
    ):
        facts = screening.screen([Question(number)])[number]
        if facts is None and screening.outage is not None:
            raise screening.outage
        if facts is None and screening.cap is not None:
            raise screening.cap.error()
        verdict = screening.judge({number: facts}).get(number)
        cost = sum(each.cost for each in screening.tally.providers.values())
    why = _explain(wiring, number, facts, cost) if explained else None
    return ScreenedNumber(number, verdict, screening.tally.lookups, explanation=why)


def _explain(wiring: Wiring, number: Number, facts: Facts | None, cost: float) -> Explanation:
    """Return why the number has its verdict, from all that the state knows about it."""
    now = whole_seconds(wiring.clock.now())
    store = wiring.open_state_if_there() if number.e164 else None
    if store is None or number.e164 is None:
        return explain(number, facts, [], [], now, cost)
    with closing(store):
        about = HeldAbout(store, number.e164)
        besides = [*_what_blocks(about, now), *_what_was_heard(about)]
        return explain(number, facts, about.answers(), besides, now, cost)


def _what_blocks(about: HeldAbout, now: datetime) -> Iterator[Said]:
    """Yield who asked for silence: entries of the ledger, listings in registers, flags of records."""
    for entry in about.entries():
        lifted = " (ends an earlier one)" if entry.lifts is not None else ""
        kind = str(entry.kind.value).replace("_", " ")
        yield Said(f"{entry.source.value} entry", f"{kind}, {entry.channel.value}{lifted}", entry.since, "registry")
    for block in about.listings():
        yield Said(block.origin or "register", f"listed for {block.channel.value}", now, "registry")
    for flag in about.flags():
        said = f"opt-out flag of {flag.object} {flag.id}, {flag.channel} ({flag.state})"
        yield Said(flag.account, said, now, Evidence.HUMAN.value)


def _what_was_heard(about: HeldAbout) -> Iterator[Said]:
    """Yield what became of the latest calls and messages, and what people have decided."""
    for event in about.latest_evidence(MOST_HEARD):
        what = (event.outcome or event.word or "message").replace("_", " ")
        way = {Channel.SMS: "message", Channel.VOICE: "call"}.get(event.channel, "call or message")
        note = ": ".join(filter(None, (event.code, mask_numbers(event.detail))))
        yield Said(event.source, f"{way}: {what}" + (f" ({note})" if note else ""), event.occurred_at, "history")


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
    with open_screening_of(wiring, [], door, screened) as screening:
        facts = screening.screen([Question(number)])[number]
    verdict = judge(facts) if facts else None
    silent = verdict is not None and verdict.status is Status.DO_NOT_CONTACT
    return ScreenedNumber(number, verdict if silent else None, 0, left_out=True)


class Screened(NamedTuple):
    """How a screening stands in the history, and whose opt-outs it asks."""

    door: str
    options: Mapping[str, Any]
    sandbox: bool


@contextmanager
def open_screening_of(
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
        policy=wiring.policy(),
        lookups=lookups,
        caps=wiring.settings.lookup.caps(),
        evidence=find_evidence_rules(wiring.settings.mappings),
        ledger=wiring.settings.ledger or "",
        sandbox=screened.sandbox,
        on_answer=lambda bought, cost: told.bought(bought, cost, currency),
        explain=door.explain,
        options=screened.options,
    )
    with closing(store), open_screening(job) as screening:
        yield screening
