"""What a workflow asks of us for one record: answered at once where that can be, else put on record for a job."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection as Transaction

from ringfence.core.errors import StoppedError
from ringfence.core.model.verdicts import Status
from ringfence.core.ports.jobs import JobRequest, Jobs
from ringfence.core.state.executions import Execution, Executions, ExecutionState
from ringfence.core.state.store import Store

from .answerer import Answerer, Looked
from .portals import Portal
from .waking import wake_records
from .workflow_outputs import NO_ANSWER, NO_NUMBER, block, fail, succeed, word

COMPLETE = "complete-executions"
"""The kind of job that screens what was accepted and completes it."""

BEFORE_OTHERS = 40
"""The priority of such a job: a workflow waits for it."""

WAIT = timedelta(days=3)
"""For how long HubSpot is asked to wait, as the outputs say it."""

MOST_WAITING = 100_000
"""Executions of a portal that wait at once; the next one is told to come back."""

COUNTED_S = 2.0
"""For how many seconds a count of those is believed."""

_OBJECTS = {"CONTACT": "contacts", "COMPANY": "companies", "0-1": "contacts", "0-2": "companies"}
"""What HubSpot calls an object towards an action, and how a mapping names it."""


class OverloadError(StoppedError):
    """More executions wait than are taken on."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One execution of an action: HubSpot's id for it, its record, and what was filled in."""

    callback_id: str
    object_type: str
    object_id: str
    phone: str
    country: str | None
    purpose: str | None
    write_back: bool
    properties: Mapping[str, str]

    @property
    def records(self) -> dict[str, list[str]]:
        """Return the record under its object's name; empty where that is unknown."""
        name = _OBJECTS.get(self.object_type.upper(), self.object_type)
        return {name: [self.object_id]} if name and self.object_id else {}


class Reply(NamedTuple):
    """The outputs that a workflow gets now, and what that is called in figures."""

    outputs: Mapping[str, str]
    result: str


class WorkflowActions:
    """Answers executions for the portals of one process. It lives as long as the store; safe with threads."""

    def __init__(self, store: Store, jobs: Jobs) -> None:
        self._store = store
        self._jobs = jobs
        self._lock = threading.Lock()
        self._answerers: dict[str, tuple[Portal, Answerer, Mapping[str, str]]] = {}
        self._counted: dict[int, tuple[float, int]] = {}

    def check_opt_out(self, portal: Portal, asked: Asked) -> Reply:
        """Return what is known of the number, at once: nothing is bought, and nothing waits."""
        if not asked.phone:
            return Reply(fail(NO_NUMBER), "failed")
        outputs = succeed(self._look(portal, asked)[0].answer().as_json())
        if asked.write_back:
            self._wake(portal, asked, None)
        return Reply(outputs, "answered")

    def screen(self, portal: Portal, asked: Asked) -> Reply:
        """Return the answer where nothing has to be bought for it, else BLOCK; then it stands on record with a job.

        An execution that is repeated is neither done nor bought twice. Raises StateError, and OverloadError where too
        many wait.
        """
        executions = Executions(self._store.keyring, portal.org_id)
        with self._store.transaction() as connection:
            known = executions.find(connection, asked.callback_id)
        if known is not None:
            return self._repeat(portal, executions, known, asked)
        if not asked.phone:
            return Reply(fail(NO_NUMBER), "failed")

        looked, answerer, country = self._look(portal, asked)
        if looked.is_wanted and answerer.may_buy:
            return self._accept(portal, executions, asked, looked, country)
        answer = looked.answer().as_json()
        with self._store.transaction() as connection:
            e164, now = looked.number.e164, portal.wiring.clock.now()
            is_new = executions.note_answered(connection, asked.callback_id, answer, e164, now)
            if is_new and asked.write_back:
                self._wake(portal, asked, connection)
        return Reply(succeed(answer), "answered")

    def _accept(
        self, portal: Portal, executions: Executions, asked: Asked, looked: Looked, country: str | None
    ) -> Reply:
        self._refuse_overload(portal, executions)
        content = {
            "phone": asked.phone,
            "country": country,
            "purpose": asked.purpose,
            "records": asked.records if asked.write_back else {},
        }
        now = portal.wiring.clock.now()
        with self._store.transaction() as connection:
            e164 = looked.number.e164
            is_new = executions.accept(connection, asked.callback_id, content, e164, now, now + WAIT)
            self._jobs.enqueue([job_for(portal.account, portal.id)], connection)
        return Reply(block(), "blocked" if is_new else "repeated")

    def _repeat(self, portal: Portal, executions: Executions, known: Execution, asked: Asked) -> Reply:
        """Answer an execution that is on record: as before where it waits, else with what became of it."""
        if known.waits:
            with self._store.transaction() as connection:
                executions.prolong(connection, known, portal.wiring.clock.now() + WAIT)
                self._jobs.enqueue([job_for(portal.account, portal.id)], connection)
            return Reply(block(), "repeated")
        if not asked.phone or (known.answer is None and known.state is ExecutionState.COMPLETED):
            return Reply(fail(NO_ANSWER), "repeated")

        # Permission only tightens: who opted out meanwhile is not called by an answer of yesterday.
        now_known = self._look(portal, asked)[0].answer().as_json()
        is_silent = now_known["status"] == Status.DO_NOT_CONTACT.value
        return Reply(succeed(now_known) if is_silent or known.answer is None else word(known.answer), "repeated")

    def _look(self, portal: Portal, asked: Asked) -> tuple[Looked, Answerer, str | None]:
        answerer, regions = self._find_answerer(portal)
        country = asked.country
        if country is None and asked.records:
            # Who leaves the country empty is understood by that of the record.
            country = asked.properties.get(regions.get(next(iter(asked.records)), "")) or None
        (looked,) = answerer.look([(asked.phone, country)], asked.purpose)
        return looked, answerer, country

    def _find_answerer(self, portal: Portal) -> tuple[Answerer, Mapping[str, str]]:
        """Return who answers for a portal, and the field of the country by object; both are read once."""
        with self._lock:
            kept = self._answerers.get(portal.id)
            if kept is not None and kept[0] is portal:
                return kept[1], kept[2]
            answerer = Answerer(portal.wiring, self._store)
            shapes = portal.wiring.shapes(portal.account)
            regions = {name: shape.region_field for name, shape in shapes.items() if shape.region_field}
            self._answerers[portal.id] = (portal, answerer, regions)
            return answerer, regions

    def _wake(self, portal: Portal, asked: Asked, within: Transaction | None) -> None:
        wake_records(portal.wiring, self._store, self._jobs, portal.account, asked.records, within=within)

    def _refuse_overload(self, portal: Portal, executions: Executions) -> None:
        now = portal.wiring.clock.monotonic()
        counted_at, waiting = self._counted.get(portal.org_id, (-COUNTED_S, 0))
        if now - counted_at >= COUNTED_S:
            with self._store.transaction() as connection:
                waiting = executions.count_waiting(connection)
            self._counted[portal.org_id] = (now, waiting)
        if waiting >= MOST_WAITING:
            raise OverloadError(f"{waiting:,} executions of workflows wait already.")


def job_for(account: str, portal_id: str, run_at: datetime | None = None) -> JobRequest:
    """Return the job that completes what waits of a portal; with ``run_at`` what had to be put off until then."""
    name = f"{COMPLETE}:{portal_id}"
    return JobRequest(
        COMPLETE,
        {"portal": portal_id},
        queue=account,
        lock=name,
        queueing_lock=f"{name}:later" if run_at else name,
        priority=BEFORE_OTHERS,
        run_at=run_at,
    )
