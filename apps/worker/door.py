"""The door of a job: nobody stands behind it, and nobody watches."""

from __future__ import annotations

from contextlib import nullcontext

from ringfence.core.errors import UsageError
from ringfence.core.ports.jobs import JobRun
from ringfence.core.runs.progress import NoProgress

from ..operations.door import Door, Question
from ..remedies import explain, word


def open_job_door(run: JobRun, author: str) -> Door:
    """Return the door of a job that is carried out; ``author`` is who acts, for the ledger and the audit log."""
    return Door(
        confirm=_refuse,
        progress=lambda _title: nullcontext(_Unseen()),
        explain=explain,
        word=word,
        began=lambda summary: run.report({"run_id": summary.run_id}),
        must_end=run.must_end,
        unattended=True,
        author=author,
    )


class _Unseen(NoProgress):
    """Progress that nobody watches."""

    def at(self, done: int, total: int) -> None:
        """Show nothing."""


def _refuse(question: Question) -> None:
    raise UsageError(f"Nobody is there who could be asked ({type(question).__name__}).", "Run `ringfence sync` once.")
