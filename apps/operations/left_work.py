"""Work that waits in the state although no job stands for it: looked for now and then, and given one.

Whoever brings work puts its job on record in the same step, so that this is rare: a state store that was moved or
restored, whose jobs stayed behind, a job that has failed for good or was cancelled, a budget of yesterday.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta
from math import inf

from ringfence.core.errors import StoppedError
from ringfence.core.ports.jobs import JobRequest, Jobs
from ringfence.core.state.asked_checks import has_untried
from ringfence.core.state.executions import list_orgs_with_waiting
from ringfence.core.state.store import Store
from ringfence.core.state.wakes import list_accounts_with_wakes

from ..wiring import Wiring
from .asked_checks import ASKED_CHECKS, job_for_checks
from .portals import CRM, Portals
from .waking import TARGETED_SYNC, job_for_woken
from .workflow_actions import COMPLETE, job_for

LEFT_FOR = timedelta(minutes=1)
"""How long work has waited that may have been left: what is younger has its job, or will."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 60.0, 3600.0
"""The pause before what goes on waiting is given a job again, in seconds; each is twice the one before."""

Work = tuple[str, str]
"""A kind of job, and the account or org that it is about; "" where it is about none."""

logger = logging.getLogger(__name__)


class LeftWork:
    """Looks for work that was left, for the queues of one process. It lives as long as the store."""

    def __init__(self, wiring: Wiring, store: Store, jobs: Jobs, queues: Sequence[str]) -> None:
        self._wiring = wiring
        self._store = store
        self._jobs = jobs
        self._queues = list(queues)
        self._portals = Portals(wiring, store)
        self._paces: dict[Work, tuple[float, float]] = {}

    def give_jobs(self, *, left_for: timedelta = LEFT_FOR) -> None:
        """Put a job on record for all work that has waited for so long; where one waits already, nothing changes.

        What goes on waiting all the same is given one less and less often. Raises StateError.
        """
        before = self._wiring.clock.now() - left_for
        with self._store.transaction() as connection:
            checks = has_untried(connection, before)
            woken = list_accounts_with_wakes(connection, self._queues, before)
            orgs = list_orgs_with_waiting(connection, before)

        found = [(ASKED_CHECKS, "")] if checks else []
        found += [(TARGETED_SYNC, account) for account in woken]
        found += [(COMPLETE, org) for org in orgs]
        requests = [request for kind, name in self._choose(found) for request in self._request(kind, name)]
        if requests:
            self._jobs.enqueue(requests)

    def _choose(self, found: Sequence[Work]) -> list[Work]:
        """Return what is given a job now of the work that was found."""
        now = self._wiring.clock.monotonic()
        self._paces = {work: self._paces.get(work, (-inf, FIRST_PAUSE_S / 2)) for work in found}
        due = [work for work, (turn, _) in self._paces.items() if turn <= now]
        for work in due:
            pause_s = min(self._paces[work][1] * 2, LONGEST_PAUSE_S)
            self._paces[work] = now + pause_s, pause_s
        return due

    def _request(self, kind: str, name: str) -> Iterator[JobRequest]:
        if kind == ASKED_CHECKS:
            yield job_for_checks()
        elif kind == TARGETED_SYNC:
            yield job_for_woken(name)
        else:
            yield from self._complete(name)

    def _complete(self, org: str) -> Iterator[JobRequest]:
        """Yield the job of a portal. An account that cannot be asked now is told, and asked again later."""
        crm, _, portal_id = org.partition(":")
        try:
            portal = self._portals.find(portal_id) if crm == CRM else None
        except StoppedError as error:
            logger.warning("Executions of portal %s wait, and its account cannot be asked: %s", portal_id, error)
            return
        if portal is None:
            logger.warning("Executions of portal %s wait, which no account is any more.", portal_id)
            return
        yield job_for(portal.account, portal_id)
