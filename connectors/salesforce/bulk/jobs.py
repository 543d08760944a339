"""Calls that Bulk API 2.0 jobs of both kinds share: create, poll, change state, delete, over our own transport.

The client library's handler is not used: one failed poll aborts its job, it keeps no job id and never renews a token
(docs/vendors/salesforce.md, sections 1.3 and 1.7).
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
"""Seconds between polls. The first two come after a tenth of a second each, because a small job is quick; then each
pause is three times the one before, up to 30 s, because every poll is a call."""

PATIENCE_S = 6 * 3_600.0
"""Seconds that one run waits for a job; the next run waits on for the same job."""

GONE = (404, 409, 410)
"""409: the job was made under another API version, and its results cannot be had under this one
(salesforce.md, section 2.2)."""

OPEN = "Open"
COMPLETE = "JobComplete"
ABORTED = "Aborted"
ENDED = frozenset({COMPLETE, "Failed", ABORTED})

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Job:
    """A job as Salesforce shows it.

    ``created`` is in UTC. ``processed`` counts the rows that Salesforce has read, or has tried to write; ``failed``
    counts those that it refused. ``error`` is the reason of a job that ended as Failed.
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
        """Return whether all of its rows were processed."""
        return self.state == COMPLETE


class JobCalls:
    """The calls for jobs of one kind: ``kind`` is ``query`` or ``ingest``, ``purpose`` is what they count as.

    Every method may raise JobGoneError beside the client's errors, and every method is safe to repeat.
    """

    def __init__(self, client: SalesforceClient, clock: Clock, kind: str, purpose: str) -> None:
        self._client = client
        self._clock = clock
        self._kind = kind
        self._purpose = purpose

    def create(self, body: Mapping[str, Any]) -> Job:
        """Create a job. Where the answer is lost, an empty job stays behind and expires by itself."""
        return self.request("POST", "", _read_job, json=dict(body))

    def get(self, job_id: str) -> Job:
        """Return the job as it is now."""
        return self.request("GET", job_id, _read_job)

    def set_state(self, job_id: str, state: str) -> Job:
        """Set another state, ``UploadComplete`` or ``Aborted``, and return the job."""
        return self.request("PATCH", job_id, _read_job, json={"state": state})

    def delete(self, job_id: str) -> None:
        """Delete a job that has ended, with its results; one that is gone already is no fault."""
        try:
            self.request("DELETE", job_id, lambda _answer: None, success=204)
        except JobGoneError:
            return

    def wait(self, job: Job) -> Iterator[Job]:
        """Yield the job as it is known, and then after each poll, the last time when it has ended.

        A poll that fails is repeated as every call is, and never aborts the job. Raises UnreachableError after six
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

    def request(
        self, method: str, path: str, read: Callable[[Response], Result], *, success: int = 200, **sending: Any
    ) -> Result:
        """Carry out one request below ``jobs/<kind>/`` and return what ``read`` makes of the answer.

        ``success`` is the status of an answer that Salesforce gives when it has carried the request out. Any other
        status below 400 comes from a proxy, and nothing was carried out: RetryError.
        """
        what = f"a Bulk {self._kind} job"

        def judge(answer: Response) -> Result:
            if answer.status_code == success:
                return read(answer)
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
