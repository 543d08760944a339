"""Jobs of the kind ``targeted-sync``: the records of an account that somebody told us to look at."""

from __future__ import annotations

from contextlib import nullcontext

from ringfence.core.errors import UsageError
from ringfence.core.ports.jobs import JobRun
from ringfence.core.runs.progress import NoProgress

from ..operations import Door, Question
from ..operations.kept_connections import KeptConnections
from ..operations.waking import sync_woken
from ..remedies import explain, word
from ..wiring import Wiring


def sync_woken_records(wiring: Wiring, kept: KeptConnections, run: JobRun) -> str | None:
    """Sync the woken records of the job's account; return a remark where there is one to make."""
    door = Door(
        confirm=_refuse,
        progress=lambda _title: nullcontext(_Unseen()),
        explain=explain,
        word=word,
        began=lambda summary: run.report({"run_id": summary.run_id}),
        must_end=run.must_end,
        unattended=True,
        author="targeted sync",
    )
    return sync_woken(wiring, run.job.queue, door, kept)


class _Unseen(NoProgress):
    """Progress that nobody watches."""

    def at(self, done: int, total: int) -> None:
        """Show nothing."""


def _refuse(question: Question) -> None:
    raise UsageError(f"Nobody is there who could be asked ({type(question).__name__}).", "Run `ringfence sync` once.")
