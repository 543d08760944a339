"""Stand-ins for those who work at the parts of a run: nobody, or threads of this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ringfence.core.runs.mode import Deferring, RunMode
from ringfence.core.runs.options import SyncOptions
from ringfence.core.runs.part_run import PartWork, carry_out_part
from ringfence.core.runs.run import SyncJob
from ringfence.core.state.cursors import register_org
from ringfence.core.state.part_holds import hold_part


@dataclass
class Nobody:
    """No workers: the run does its parts itself. ``announced`` holds what they would have heard."""

    announced: list[int] = field(default_factory=list)

    def announce(self, run_id: str, parts: Sequence[int]) -> None:
        """Note the parts."""
        self.announced += parts

    def are_there(self) -> bool:
        """Return False."""
        return False

    def recall(self) -> None:
        """Do nothing."""


@dataclass
class Threads:
    """One thread for each part that is announced, which works at it as a process of its own would.

    ``job`` is what such a process has wired; ``before`` is called with the job and the number of the part, and may
    raise what keeps the thread from coming to it: then nobody works at the part.
    """

    job: SyncJob
    before: Callable[[SyncJob, int], SyncJob] = lambda job, _part: job
    options: SyncOptions = field(default_factory=SyncOptions)
    mode: RunMode = field(default_factory=Deferring)
    threads: list[threading.Thread] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)

    def announce(self, run_id: str, parts: Sequence[int]) -> None:
        """Begin with the parts."""
        for part in parts:
            thread = threading.Thread(target=self._work, args=(run_id, part), daemon=True)
            self.threads.append(thread)
            thread.start()

    def are_there(self) -> bool:
        """Return True until the first threads have ended, each of which works at one part."""
        return not self.threads or any(thread.is_alive() for thread in self.threads)

    def recall(self) -> None:
        """Do nothing."""

    def _work(self, run_id: str, part: int) -> None:
        try:
            job = self.before(replace(self.job), part)
            hold = hold_part(job.store, run_id, part, job.clock.now())
            if hold is not None:
                org_id = register_org(job.store, job.org)
                carry_out_part(PartWork(job, org_id, hold, self.options, self.mode, keep_every_s=0))
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.errors.append(error)
