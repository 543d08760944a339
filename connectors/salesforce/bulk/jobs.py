"""Bulk API 2.0 jobs of both kinds: made, looked at, waited for and cleared away, over our own transport.

The client library's handler is not used: one failed poll aborts its job, it keeps no job id and never renews a token
(salesforce facts, sections 1.3 and 1.7).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from requests import Response

from ringfence.core.errors import RetryError, UnreachableError
from ringfence.core.ports.services import Clock

from ..client import SalesforceClient
from ..errors import JobGoneError, read_error
from ..fields import read_moment

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 30.0
"""A job is looked at after a tenth of a second and after another, for a small one is quick; then after thrice the pause
before, 30 s at most: a look is a call."""

PATIENCE_S = 6 * 3_600.0
"""How long one run waits for a job; the next one goes on waiting."""

GONE = (404, 409, 410)
"""409: the job was made under another API version, and its results cannot be had under this one (section 2.2)."""

OPEN = "Open"
COMPLETE = "JobComplete"
ABORTED = "Aborted"
ENDED = frozenset({COMPLETE, "Failed", ABORTED})

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Job:
    """A job as Salesforce shows it. ``processed`` counts rows that were read or tried, ``failed`` those of them that
    were refused; ``error`` says why it ended as Failed.
    """

    id: str
    state: str
    created: datetime
    processed: int = 0
    failed: int = 0
    error: str = ""

    @property
    def ended(self) -> bool:
        """Return whether it will never change again."""
        return self.state in ENDED

    @property
    def complete(self) -> bool:
        """Return whether it has come to all of its rows."""
        return self.state == COMPLETE


class JobCalls:
    """The calls that jobs of one kind share; ``kind`` is ``query`` or ``ingest``, ``purpose`` what they count as.

    Every method may raise JobGoneError beside the client's errors. Safe to repeat, all of them.
    """

    def __init__(self, client: SalesforceClient, clock: Clock, kind: str, purpose: str) -> None:
        self._client = client
        self._clock = clock
        self._kind = kind
        self._purpose = purpose

    def create(self, body: Mapping[str, Any]) -> Job:
        """Make a job. One whose answer was lost stays behind, empty, and expires by itself."""
        return self.ask("POST", "", _read_job, json=dict(body))

    def get(self, job_id: str) -> Job:
        """Return the present state."""
        return self.ask("GET", job_id, _read_job)

    def move(self, job_id: str, state: str) -> Job:
        """Ask for another state: ``UploadComplete`` or ``Aborted``."""
        return self.ask("PATCH", job_id, _read_job, json={"state": state})

    def delete(self, job_id: str) -> None:
        """Delete a job that has ended, with its results; one that is gone already is no fault."""
        try:
            self.ask("DELETE", job_id, lambda _answer: None, done=204)
        except JobGoneError:
            return

    def wait(self, job: Job) -> Iterator[Job]:
        """Yield the job as it is known and each time it was looked at again, the last time when it has ended.

        A look that fails is repeated as every call is, and leaves the job alone. Raises UnreachableError after six
        hours, when the job is still at work.
        """
        pauses, start = _pauses(), self._clock.monotonic()
        yield job

        while not job.ended:
            if self._clock.monotonic() - start > PATIENCE_S:
                raise UnreachableError(
                    f"Salesforce has worked on the job {job.id} for hours, and it is {job.state} still.",
                    "Run again later: it goes on waiting for the same job.",
                )
            self._clock.sleep(next(pauses))
            job = self.get(job.id)
            yield job

    def ask(
        self, method: str, path: str, use: Callable[[Response], Result], *, done: int = 200, **sending: Any
    ) -> Result:
        """Carry out one request below ``jobs/<kind>/`` and return what ``use`` makes of its answer.

        ``done`` is the status by which Salesforce says that it was. Any other but a refusal comes from a proxy, as the
        page it shows or a way to one, and nothing was carried out.
        """
        what = f"a Bulk {self._kind} job"

        def judge(answer: Response) -> Result:
            if answer.status_code == done:
                return use(answer)
            if answer.ok:
                raise RetryError(f"The answer to {what} is not what Salesforce sends (HTTP {answer.status_code}).")
            if path and answer.status_code in GONE:
                raise JobGoneError(f"{what} is gone: {path}.".capitalize(), "Run again: it starts over.")
            raise read_error(what, answer.status_code, _content(answer))

        below = f"jobs/{self._kind}/{path}".rstrip("/")
        return self._client.request(self._purpose, what, method, below, judge, **sending)


def _pauses() -> Iterator[float]:
    pause = FIRST_PAUSE_S
    yield pause
    while True:
        yield pause
        pause = min(pause * 3, LONGEST_PAUSE_S)


def _content(answer: Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return answer.text


def _read_job(answer: Response) -> Job:
    body = _content(answer)
    try:
        row: Mapping[str, Any] = dict(body)  # type: ignore[call-overload]  # what is no mapping raises below
        return Job(
            id=str(row["id"]),
            state=str(row["state"]),
            created=read_moment(row["createdDate"]),
            processed=int(row.get("numberRecordsProcessed") or 0),
            failed=int(row.get("numberRecordsFailed") or 0),
            error=str(row.get("errorMessage") or ""),
        )
    except (TypeError, ValueError, KeyError):
        raise RetryError("The answer about a Bulk job is not what Salesforce sends.") from None
