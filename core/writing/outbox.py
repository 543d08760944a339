"""Batches on their way to the CRM: journalled, then written beside the work that makes the next ones."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from itertools import count, repeat

from ..concurrency import HEARTBEAT_S, Worker
from ..model.values import Change, Outcome, RowResult
from ..ports.bulk import BulkJobs, BulkLoad
from ..ports.crm import Crm
from ..ports.services import Clock
from ..state.journal import Journal
from .reconcile import NOT_SENT
from .writer import ChangeWriter

logger = logging.getLogger(__name__)

WRITES_IN_FLIGHT = 2
"""How many writes may be handed over and not yet done: one being sent and one that waits, so memory stays bounded."""

_NO_RESULT = RowResult(Outcome.REFUSED, "NO_RESULT", "the CRM's answer says nothing about this row")

Results = dict[int, list[RowResult]]


@dataclass(slots=True)
class Delivery:
    """Changes that were handed over together; ``places`` tells which of the batch they are.

    ``sent`` is None while they are held back for a bulk job; its result holds those of other deliveries too.
    """

    seq: int
    places: Sequence[int]
    sent: Future[Results] | None = None

    @property
    def done(self) -> bool:
        """Return whether the outcome is there."""
        return self.sent is not None and self.sent.done()

    @property
    def succeeded(self) -> bool:
        """Return whether :meth:`Outbox.take` has something to give."""
        sent = self.sent
        return sent is not None and sent.done() and not sent.cancelled() and sent.exception() is None


class _Held:
    """What one object's bulk job will carry: its load, the deliveries in it, and where each record is in them.

    ``since`` is how many changes the run had handed over before the first of these.
    """

    def __init__(self, load: BulkLoad, since: int) -> None:
        self.load = load
        self.since = since
        self.deliveries: list[Delivery] = []
        self.where: dict[str, tuple[int, int]] = {}

    def add(self, delivery: Delivery, changes: Sequence[Change], ids: Sequence[str]) -> None:
        self.load.add(changes)
        self.deliveries.append(delivery)
        self.where.update(zip(ids, zip(repeat(delivery.seq), count()), strict=False))

    @property
    def seqs(self) -> list[int]:
        return [delivery.seq for delivery in self.deliveries]


class Abandoned(Exception):  # noqa: N818 - no error: the run is over, and its bulk job goes on without it
    """The run ends while its bulk job is still under way; the next run asks what became of it."""


class Outbox:
    """Takes the changes of a run, journals them, and sends them while the next ones are being decided.

    ``heartbeat`` is called while it waits, so that the run's lease does not run out.
    """

    def __init__(
        self, crm: Crm, writer: ChangeWriter, journal: Journal, clock: Clock, heartbeat: Callable[[], None]
    ) -> None:
        self._bulk = crm.bulk
        self._writer = writer
        self._journal = journal
        self._clock = clock
        self._heartbeat = heartbeat
        self._worker = Worker(threaded=crm.capabilities.threads)
        self._in_flight: list[Future[Results]] = []
        self._held: dict[str, _Held] = {}
        self._holding: frozenset[str] = frozenset()
        self._posted = 0
        self._closing = threading.Event()

    @property
    def sender(self) -> threading.Thread | None:
        """Return the thread that sends, where there is one; it may still have a request under way after the end."""
        return self._worker.thread

    @property
    def holds_back(self) -> bool:
        """Return whether changes wait for a bulk job."""
        return bool(self._held)

    def hold(self, objects: Iterable[str]) -> None:
        """Hold back the changes of these objects from now on until :meth:`flush`, for bulk jobs; others go at once."""
        self._holding = frozenset(objects if self._bulk else ())

    def post(self, changes: Sequence[Change]) -> list[Delivery]:
        """Hand over a batch. Waits while too much is under way. Raises what an earlier write has raised."""
        if not self._writer.admit(changes):
            return [_written(len(changes))] if changes else []

        self._posted += len(changes)
        held, at_once = self._divide(changes)
        deliveries: list[Delivery] = []
        if self._bulk is not None:
            deliveries += [self._keep(self._bulk, name, places, changes) for name, places in held.items()]
        if at_once:
            deliveries.append(self._send(at_once, changes))

        self._send_overdue()
        return deliveries

    def flush(self) -> None:
        """Send everything that was held back."""
        for name in list(self._held):
            self._send_held(name)

    def take(self, delivery: Delivery) -> list[RowResult]:
        """Return what became of the changes of a delivery that was sent, waiting for it, and journal it."""
        if delivery.sent is None:
            raise ValueError("the delivery is still held back")
        results = self._wait(delivery.sent)[delivery.seq]
        if delivery.seq:
            self._journal.settle_batch(delivery.seq, results, self._clock.now())
        return results

    def close(self, left: Iterable[Delivery], *, finish: bool = False) -> None:
        """End the sending, and journal what was never sent of the deliveries that are left.

        With ``finish`` what is on its way to the writer is still sent, as far as there is time.
        """
        self._closing.set()
        self._worker.close(finish=finish)
        self._settle_unsent(left)

    def give_up(self, left: Iterable[Delivery]) -> None:
        """Wait for what is under way, whatever becomes of it, and send nothing that was held back; then go on."""
        while self._in_flight:
            self._await(self._in_flight.pop())
        self._held.clear()
        self._settle_unsent(left)

    def _settle_unsent(self, left: Iterable[Delivery]) -> None:
        for delivery in left:
            if delivery.sent is None or delivery.sent.cancelled():
                results = [NOT_SENT] * len(delivery.places)
                self._journal.settle_batch(delivery.seq, results, self._clock.now())

    def _divide(self, changes: Sequence[Change]) -> tuple[dict[str, list[int]], list[int]]:
        """Return the places of the changes that wait for a bulk job, by object, and of those that go at once."""
        held: dict[str, list[int]] = {}
        at_once: list[int] = []
        for place, change in enumerate(changes):
            if change.object in self._holding and not change.guard:
                held.setdefault(change.object, []).append(place)
            else:
                at_once.append(place)
        return held, at_once

    def _keep(self, bulk: BulkJobs, name: str, places: Sequence[int], changes: Sequence[Change]) -> Delivery:
        some = [changes[place] for place in places]
        ids = [change.id for change in some]
        held = self._held.get(name)
        if held and (len(held.where) + len(some) > bulk.most or not held.where.keys().isdisjoint(ids)):
            self._send_held(name)
            held = None
        if held is None:
            held = self._held[name] = _Held(bulk.load(name), self._posted - len(some))

        delivery = Delivery(self._journal.plan_batch(some, self._clock.now(), held=True), places)
        held.add(delivery, some, ids)
        return delivery

    def _send(self, places: Sequence[int], changes: Sequence[Change]) -> Delivery:
        some = [changes[place] for place in places]
        delivery = Delivery(self._journal.plan_batch(some, self._clock.now()), places)
        delivery.sent = self._submit(lambda: {delivery.seq: self._writer.write(some)})
        return delivery

    def _send_overdue(self) -> None:
        """Send what is held back while more changes than a job takes were handed over.

        Rows are accounted for in their order: all that is behind a held one waits in memory, and the cursor in front.
        """
        for name, held in list(self._held.items()):
            if self._bulk is not None and self._posted - held.since > self._bulk.most:
                self._send_held(name)

    def _send_held(self, name: str) -> None:
        held, bulk = self._held.pop(name), self._bulk
        if bulk is not None and len(held.where) >= bulk.worth_from:
            sent = self._submit(lambda: self._write_bulk(held))
        else:
            sent = self._submit(lambda: self._write_held(held))

        for delivery in held.deliveries:
            delivery.sent = sent

    def _submit(self, job: Callable[[], Results]) -> Future[Results]:
        while len(self._in_flight) >= WRITES_IN_FLIGHT:
            self._wait(self._in_flight.pop(0))

        future = self._worker.submit(job)
        self._in_flight.append(future)
        return future

    def _wait(self, future: Future[Results]) -> Results:
        self._await(future)
        return future.result()

    def _await(self, future: Future[Results]) -> None:
        while not wait([future], HEARTBEAT_S).done:
            self._heartbeat()

    def _write_held(self, held: _Held) -> Results:
        """Write what turned out too little for a bulk job."""
        self._journal.release(held.seqs)
        results = iter(self._writer.write(list(self._journal.planned(held.seqs))))
        return {delivery.seq: [next(results) for _ in delivery.places] for delivery in held.deliveries}

    def _write_bulk(self, held: _Held) -> Results:
        results = {delivery.seq: [_NO_RESULT] * len(delivery.places) for delivery in held.deliveries}
        watch = _Watch(self._journal, held.seqs, self._closing)
        for record_id, result in held.load.write(watch):
            if (at := held.where.get(record_id)) is not None:
                results[at[0]][at[1]] = result
        return results


class _Watch:
    """See :class:`ringfence.core.ports.bulk.BulkWatch`."""

    def __init__(self, journal: Journal, seqs: Sequence[int], closing: threading.Event) -> None:
        self._journal = journal
        self._seqs = seqs
        self._closing = closing

    def opened(self, reference: str) -> None:
        self._journal.release(self._seqs, reference)
        logger.info("bulk job %s carries %d batches", reference or "(none)", len(self._seqs))

    def waiting(self) -> None:
        if self._closing.is_set():
            raise Abandoned


def _written(count: int) -> Delivery:
    """Return a delivery that a dry run makes: all went well, and nothing was sent."""
    done: Future[Results] = Future()
    done.set_result({0: [RowResult(Outcome.WRITTEN)] * count})
    return Delivery(0, range(count), done)
