"""Due records to verdicts: which numbers are screened, and what each due slot should say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..clock import whole_seconds
from ..decisions import coverage, messages, wrong_person
from ..decisions.due import DueReason
from ..decisions.due_record import DueRecord, judged_slot
from ..decisions.mass_change import MassChangeGuard
from ..errors import GuardError
from ..model.shapes import Slot
from ..model.verdicts import Facts, Status, Verdict
from ..numbers import Number
from ..ports.services import Clock
from ..screening.screening import Question, Screening
from .brake import Brake
from .mode import RunMode
from .overdue import OverdueWatch


@dataclass(slots=True)
class Decider:
    """Decides what the due slots of a batch should say, after screening each distinct number of it once.

    Once the brake is pulled it screens nothing, and only silences; its own guard may pull it.
    """

    screening: Screening
    mode: RunMode
    guard: MassChangeGuard
    brake: Brake
    clock: Clock
    overdue: OverdueWatch | None = None

    def decide(self, records: Sequence[DueRecord]) -> None:
        """Give each record its verdicts; only those that silence, where they would change far more than expected."""
        questions = self._collect_questions(records)
        if not self.brake.pulled:
            facts = self.screening.screen(questions)
            for record in records:
                self._judge_screened(record, facts)
            self._watch_guard()

        if self.brake.pulled or self.mode.leaves_lookups:
            for record in records:
                if self.brake.pulled or record.deferred:
                    _keep_silence(record)

    @property
    def reach(self) -> int:
        """Return how many records are best prepared at once; 0 where no provider is asked."""
        return 0 if self.brake.pulled else self.screening.reach

    def prepare(self, records: Sequence[DueRecord]) -> None:
        """Have the lookups bought that the records will need, as far as they are as they were when they were read."""
        self.screening.prepare(Question(number) for record in records for number in _numbers_to_buy(record))

    def _watch_guard(self) -> None:
        try:
            self.guard.check()
        except GuardError as error:
            self.brake.pull(error)

    def _collect_questions(self, records: Iterable[DueRecord]) -> list[Question]:
        """Return the number of each slot to screen, with whether a lookup may be bought for it.

        Slots that need no screening, because they are empty, silent or somebody else's, get their verdicts here.
        """
        questions: list[Question] = []
        for record in records:
            view, contents = record.view, record.view.contents()
            mutes = record.mutes
            may_be_silent = mutes or coverage.may_be_silent(view, record.opt_outs)
            may_be_wrong = wrong_person.may_be_wrong(view, record.opt_outs)
            for slot in view.shape.slots:
                if (reason := record.due.get(slot.field)) is None:
                    continue

                if not contents[slot.field]:
                    record.verdicts[slot.field] = None
                elif may_be_silent and (mutes or coverage.is_silent(view, slot, record.opt_outs)):
                    self._silence(record, slot)
                elif may_be_wrong and wrong_person.is_wrong_person(view, slot, record.opt_outs):
                    verdict = wrong_person.judge_wrong_person(view, slot, whole_seconds(self.clock.now()))
                    self._take(record, slot, view.number(slot), messages.add_note(view, slot, record.opt_outs, verdict))
                elif reason is DueReason.PERMISSION and (kept := messages.renew_note(view, slot, record.opt_outs)):
                    self._take(record, slot, view.number(slot), kept)
                else:
                    number = view.number(slot)
                    record.to_screen.append((slot, number))
                    questions.append(Question(number, may_buy=reason is not DueReason.PERMISSION))
        return questions

    def _silence(self, record: DueRecord, slot: Slot) -> None:
        record.silenced = True
        if self.overdue is not None:
            self.overdue.look_at(record, slot)
        verdict = coverage.silence(record.view, slot, record.opt_outs, whole_seconds(self.clock.now()))
        self._take(record, slot, record.view.number(slot), verdict)

    def _judge_screened(self, record: DueRecord, facts: Mapping[Number, Facts | None]) -> None:
        view = record.view
        for slot, number in record.to_screen:
            known = facts[number]
            if known is None:
                record.deferred = True
                continue

            record.deferred = record.deferred or known.owed
            verdict = self.mode.judge(view, slot, known)
            if view.shape.has_sms:
                verdict = messages.add_note(view, slot, record.opt_outs, verdict)
            self._take(record, slot, number, verdict)

    def _take(self, record: DueRecord, slot: Slot, number: Number, verdict: Verdict) -> None:
        record.verdicts[slot.field] = verdict
        self.guard.watch(record.view, slot, verdict)
        code = verdict.reason.partition(":")[0]
        record.judged[slot.field] = judged_slot(verdict.status, record.due[slot.field], code, bool(number.repairs))


def _numbers_to_buy(record: DueRecord) -> Iterator[Number]:
    """Yield the numbers of the slots that are due for a lookup, and for nothing that needs none."""
    view, contents = record.view, record.view.contents()
    if record.mutes:
        return
    for slot in view.shape.slots:
        reason = record.due.get(slot.field)
        if reason is None or reason is DueReason.PERMISSION or not contents[slot.field]:
            continue
        silent = coverage.may_be_silent(view, record.opt_outs) and coverage.is_silent(view, slot, record.opt_outs)
        if not silent and not wrong_person.is_wrong_person(view, slot, record.opt_outs):
            yield view.number(slot)


def _keep_silence(record: DueRecord) -> None:
    """Leave the record only verdicts by which nobody may call; whatever else is due waits for whoever comes next."""
    silent: dict[str, Verdict | None] = {
        field: verdict
        for field, verdict in record.verdicts.items()
        if verdict is not None and verdict.status in (Status.DO_NOT_CONTACT, Status.WRONG_PERSON)
    }
    record.deferred = record.deferred or silent.keys() != record.due.keys()
    record.verdicts = silent
    record.judged = {field: record.judged[field] for field in silent}
