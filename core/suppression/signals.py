"""What a signal does: it blocks, lifts the block that another one made, asks a person, or is evidence and no more.

Permission only tightens here, with one exception: a START ends what a STOP to the same vendor made, where it is the
later word of the two. In whatever order both arrive, the end is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from ..clock import whole_seconds
from ..evidence.intake import EvidenceIntake
from ..model.blocks import BlockKind, BlockSource, Channel, Entry, NewEntry, RecordName
from ..model.evidence_rules import EvidenceRules
from ..model.review_items import ReviewReason
from ..model.signals import OptOutWord, Outcome, Signal
from ..numbers import mask, mask_numbers
from ..state.audit import Act, AuditAction, AuditLog
from ..state.blocks import Blocks
from ..state.evidence import EvidenceStore
from ..state.heard_signals import TIMELESS, hear_all
from ..state.holdings import list_holders
from ..state.keyring import Keyring
from ..state.review_queue import ReviewQueue
from .heard_news import HeardNews

_SHOWN = 200
"""Characters of a message that a person is shown."""

_SOMEBODY_ELSE = (Outcome.WRONG_NUMBER, Outcome.DECEASED)
_ASKING = (*_SOMEBODY_ELSE, Outcome.ASKED_NOT_TO_CALL)

Told = tuple[Signal, Sequence[str]]
"""A signal, and the E.164 numbers that it may be about."""


class Became(StrEnum):
    """What became of a signal."""

    KNOWN = "known"  # it was heard before, and does nothing
    UNREADABLE = "unreadable"  # nobody can tell which number it is about
    EVIDENCE = "evidence"  # it is kept, and changes nothing by itself
    BLOCKED = "blocked"
    LIFTED = "lifted"
    REVIEW = "review"  # a person decides
    WRONG_PERSON = "wrong_person"  # the number is somebody else's on one record

    __hash__ = str.__hash__

    @property
    def tightens(self) -> bool:
        """Return whether records have to hear of it."""
        return self in (Became.BLOCKED, Became.WRONG_PERSON)


@dataclass(frozen=True, slots=True)
class SignalIntake:
    """Takes signals in, for one ledger, at the moment ``now`` (aware UTC).

    ``stop_covers`` is what a person's STOP blocks. ``account_of`` tells what commands call the account of a key.
    ``rules`` weigh what is heard of the line.
    """

    keyring: Keyring
    ledger: str
    stop_covers: Channel
    now: datetime
    account_of: Callable[[str], str]
    rules: EvidenceRules = field(default_factory=EvidenceRules)

    def take_in(self, connection: Connection, signal: Signal, numbers: Sequence[str]) -> Became:
        """Do what a signal asks for, in the caller's transaction, and return what became of it.

        ``numbers`` are the E.164 numbers that it may be about: one, but where it was told in a form with several
        readings. A moment that is yet to come is taken as the present one.
        """
        return self.take_in_all(connection, [(signal, numbers)])[0]

    def take_in_all(self, connection: Connection, told: Sequence[Told], *, for_ever: bool = False) -> list[Became]:
        """Do for many signals, each with its numbers, what :meth:`take_in` does for one, in their order.

        What asks for nothing is kept together. With ``for_ever`` it is remembered without end that they were heard.
        """
        named = [(signal.vendor, signal.id) for signal, _ in told]
        timeless = [for_ever or signal.vendor in TIMELESS for signal, _ in told]
        new = hear_all(connection, self.keyring, named, self.now, timeless)

        became: list[Became] = []
        news = HeardNews(EvidenceStore(self.keyring, self.ledger), self._weighing(), self.now)
        for place, (signal, numbers) in enumerate(told):
            if place not in new:
                became.append(Became.KNOWN)
            elif not numbers:
                became.append(Became.UNREADABLE)
            else:
                became.append(self._act_on(connection, _not_ahead(signal, self.now), numbers, news))
        news.keep(connection)
        return became

    def _weighing(self) -> EvidenceIntake:
        return EvidenceIntake(self.keyring, self.ledger, self.rules, self.now)

    def _act_on(self, connection: Connection, signal: Signal, numbers: Sequence[str], news: HeardNews) -> Became:
        if signal.word is None and signal.outcome not in _ASKING:
            news.add(numbers, signal)
            return Became.EVIDENCE
        done = [self._act(connection, number, signal, news, single=len(numbers) == 1) for number in numbers]
        return min(done, key=_WEIGHT.index)

    def _act(self, connection: Connection, number: str, signal: Signal, news: HeardNews, *, single: bool) -> Became:
        act = _Act(self, connection, number, signal, news)
        became = act.by_word() or act.by_outcome(single=single)
        act.keep_at_last()
        return became


_WEIGHT = (
    Became.BLOCKED,
    Became.WRONG_PERSON,
    Became.REVIEW,
    Became.LIFTED,
    Became.EVIDENCE,
    Became.UNREADABLE,
    Became.KNOWN,
)
"""What a signal about several readings of a number became, the weightiest first."""


def _not_ahead(signal: Signal, now: datetime) -> Signal:
    """Return the signal with a moment that is not after ``now``: the clocks of others run ahead."""
    return signal if signal.occurred_at <= now else signal._replace(occurred_at=now)


@dataclass(slots=True)
class _Act:
    """One signal about one number."""

    intake: SignalIntake
    connection: Connection
    number: str
    signal: Signal
    news: HeardNews
    is_kept: bool | None = None

    def keep(self) -> bool:
        """Keep the evidence, once; return whether it was: of an erased number nothing is."""
        if self.is_kept is None:
            self.is_kept = self.news.keep_one(self.connection, self.number, self.signal)
        return self.is_kept

    def keep_at_last(self) -> None:
        """Keep the evidence, once: at once where the next signal may ask for the order of words, else with the others.

        See :meth:`ringfence.core.state.evidence.EvidenceStore.latest_word`.
        """
        if self.signal.word is not None and self.signal.outcome is None:
            self.keep()
        elif self.is_kept is None:
            self.news.add([self.number], self.signal)

    def by_word(self) -> Became | None:
        """Do what somebody asked for in a message; return None where it asks for nothing."""
        word = self.signal.word
        if word is OptOutWord.STOP:
            return self._stop()
        if word is OptOutWord.START:
            return self._start()
        return None if word is None else self._ask(word)

    def by_outcome(self, *, single: bool) -> Became:
        """Do what the end of a call or of a message asks for."""
        outcome = self.signal.outcome
        if outcome is Outcome.ASKED_NOT_TO_CALL:
            return self._block(BlockKind.DNC_INTERNAL, Channel.ALL, "asked not to be called")
        if outcome in _SOMEBODY_ELSE:
            return self._somebody_else(single=single)
        return Became.EVIDENCE

    def _stop(self) -> Became:
        started = self._latest(OptOutWord.START)
        if started is not None and started > self.signal.occurred_at:
            return Became.EVIDENCE  # it was taken back by the time that it came here
        if self.signal.outcome is None:
            return self._block(BlockKind.OPTED_OUT, self.intake.stop_covers, "asked by text message to be left alone")
        reason = f"{self.signal.vendor} holds messages back ({self.signal.code}: {self.signal.detail})"
        return self._block(BlockKind.OPTED_OUT, Channel.SMS, reason)

    def _start(self) -> Became:
        moment, stopped = self.signal.occurred_at, self._latest(OptOutWord.STOP)
        made = [each for each in self._active() if _is_stop(each, self.signal.vendor)]
        if not made or (stopped is not None and stopped >= moment) or any(each.since > moment for each in made):
            return Became.EVIDENCE
        reason = "asked by text message to be written to again"
        vendor = self.signal.vendor
        blocks = Blocks(self.intake.keyring, self.intake.ledger)
        blocks.lift(self.connection, made, reason, vendor, whole_seconds(self.intake.now), BlockSource.SIGNAL)
        for channel in sorted({each.channel for each in made}):
            self._log(AuditAction.LIFT, BlockKind.OPTED_OUT, channel, reason)
        return Became.LIFTED

    def _ask(self, word: OptOutWord) -> Became:
        if not self.keep():
            # Nobody can be asked about a number that was erased: what may be an opt-out is one.
            return self._block(BlockKind.OPTED_OUT, self.intake.stop_covers, "may have asked to be left alone")
        covers = self.intake.stop_covers
        silent = any(each.channel in (Channel.ALL, covers) and each.record is None for each in self._active())
        if word is OptOutWord.NEAR_STOP and silent:
            return Became.EVIDENCE
        said = mask_numbers(" ".join(self.signal.said.split()))[:_SHOWN]
        called = "somebody else may have it" if word is OptOutWord.NEAR_WRONG_NUMBER else "may ask for silence"
        self._queue(ReviewReason.NEAR_OPT_OUT, f"{called}, by {self.signal.vendor}: {said!r}")
        return Became.REVIEW

    def _somebody_else(self, *, single: bool) -> Became:
        outcome = self.signal.outcome or Outcome.WRONG_NUMBER
        what = "wrong number" if outcome is Outcome.WRONG_NUMBER else "the person has died"
        record = self.signal.record
        if record is None:
            key = self.intake.keyring.number_key(self.number)
            holders = list_holders(self.connection, self.intake.ledger, [key], 2)
            if len(holders) != 1 or not single:
                self._queue(ReviewReason.AMBIGUOUS, f"{what}, by {self.signal.vendor}: it is not told on which record")
                return Became.REVIEW
            org, name, record_id = holders[0]
            record = RecordName(self.intake.account_of(org), name, record_id)
        self._block(BlockKind.WRONG_PERSON, Channel.ALL, what, record)
        return Became.WRONG_PERSON

    def _block(self, kind: BlockKind, channel: Channel, reason: str, record: RecordName | None = None) -> Became:
        """Put an entry on the ledger, unless one that says the same blocks already."""
        signal, since = self.signal, whole_seconds(self.signal.occurred_at)
        told = f"{signal.id} {signal.said!r}" if signal.said else signal.id
        new = NewEntry(
            self.number,
            kind,
            channel,
            BlockSource.SIGNAL,
            reason,
            signal.vendor,
            since,
            origin=signal.vendor,
            evidence=told,
            record=record,
        )
        same = [each for each in self._active() if _says_the_same(each, new)]
        # Of an erased number the entries alone tell which word was the last.
        if same and (self.keep() or max(each.since for each in same) >= since):
            return Became.BLOCKED
        Blocks(self.intake.keyring, self.intake.ledger).add(self.connection, new)
        self._log(AuditAction.ADD, kind, channel, reason)
        return Became.BLOCKED

    def _queue(self, reason: ReviewReason, evidence: str) -> None:
        queue = ReviewQueue(self.intake.keyring, self.intake.ledger)
        since = whole_seconds(self.signal.occurred_at)
        queue.ask_about_number(self.connection, self.number, reason, self.signal.channel, evidence, since)

    def _active(self) -> list[Entry]:
        blocks = Blocks(self.intake.keyring, self.intake.ledger)
        return blocks.find_active(self.connection, [self.number], self.intake.now).get(self.number, [])

    def _latest(self, word: OptOutWord) -> datetime | None:
        store = EvidenceStore(self.intake.keyring, self.intake.ledger)
        return store.latest_word(self.connection, self.number, self.signal.vendor, word)

    def _log(self, action: AuditAction, kind: BlockKind, channel: Channel, reason: str) -> None:
        act = Act(
            self.intake.now, self.signal.vendor, action, f"{mask(self.number)} ({kind.value}, {channel.value})", reason
        )
        AuditLog(self.intake.keyring).append(self.connection, act)


def _is_stop(entry: Entry, vendor: str) -> bool:
    """Return whether a STOP made the entry, told by this vendor."""
    return (entry.source, entry.kind, entry.origin) == (BlockSource.SIGNAL, BlockKind.OPTED_OUT, vendor)


def _says_the_same(entry: Entry, new: NewEntry) -> bool:
    return (entry.kind, entry.channel, entry.source, entry.origin, entry.record) == (
        new.kind,
        new.channel,
        new.source,
        new.origin,
        new.record,
    )
