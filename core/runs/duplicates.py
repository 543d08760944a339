"""Numbers that several records hold, found by reading accounts as they are now: nothing is written, and nothing asked.

What was read goes into a file without a name, which is gone with the process. It holds no number: each stands there
under a digest with a key of this run alone, beside its masked form.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import NamedTuple, Self

from ..concurrency import read_ahead
from ..errors import Terminated
from ..model.record_view import RecordView
from ..model.shapes import ObjectShape
from ..numbers import Validity, mask
from ..ports.crm import Crm
from .page_reader import PAGES_AHEAD
from .progress import NoProgress, Progress

_MAKE = """
    CREATE TABLE numbers (digest BLOB PRIMARY KEY, masked TEXT NOT NULL, spread_limit INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE holders (digest BLOB, object TEXT, record TEXT, PRIMARY KEY (digest, object, record)) WITHOUT ROWID;
"""
_SHARED = "SELECT digest, COUNT(*) AS holders FROM holders GROUP BY digest HAVING holders >= ?"


class SharedNumber(NamedTuple):
    """A number that several records hold, masked. ``objects`` counts its holders by the name of their object.

    It is a ``switchboard`` where more records hold it than the mapping's ``spread_limit``.
    """

    number: str
    holders: int
    objects: Mapping[str, int]
    switchboard: bool


class HolderCount:
    """Counts the records that hold each number, on disk: the memory does not grow with the number of records."""

    def __init__(self) -> None:
        self._salt = secrets.token_bytes(32)
        self._file = sqlite3.connect("")  # in the folder for temporary files, without a name
        self._file.executescript(_MAKE)
        self.records = 0

    def __enter__(self) -> Self:
        """Return the count."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the file."""
        self._file.close()

    def add(self, views: Iterator[RecordView], name: str) -> None:
        """Count the valid numbers of some records of one object, which is called ``name`` in the answer.

        A record that holds a number in two fields holds it once.
        """
        numbers, holders = [], []
        for view in views:
            self.records += 1
            record = f"{view.record.object}:{view.record.id}"
            for slot in view.shape.slots:
                number = view.number(slot) if view.content(slot) else None
                if number is not None and number.validity is Validity.VALID and number.e164:
                    digest = hashlib.blake2b(number.e164.encode(), key=self._salt, digest_size=16).digest()
                    numbers.append((digest, mask(number.e164), view.shape.spread_limit))
                    holders.append((digest, name, record))
        with self._file:
            self._file.executemany("INSERT OR IGNORE INTO numbers VALUES (?, ?, ?)", numbers)
            self._file.executemany("INSERT OR IGNORE INTO holders VALUES (?, ?, ?)", holders)

    def count_shared(self, least: int) -> int:
        """Return how many numbers at least so many records hold."""
        return int(self._file.execute(f"SELECT COUNT(*) FROM ({_SHARED})", (least,)).fetchone()[0])  # noqa: S608 - ours

    def shared(self, least: int, limit: int) -> Iterator[SharedNumber]:
        """Yield the numbers that at least so many records hold, those with most holders first, ``limit`` at most."""
        query = (
            f"SELECT shared.digest, holders, masked, spread_limit FROM ({_SHARED}) AS shared "  # noqa: S608 - ours
            "JOIN numbers ON numbers.digest = shared.digest ORDER BY holders DESC, masked, shared.digest LIMIT ?"
        )
        by_object = "SELECT object, COUNT(*) FROM holders WHERE digest = ? GROUP BY object ORDER BY object"
        for digest, holders, masked, spread_limit in self._file.execute(query, (least, limit)).fetchall():
            objects = dict(self._file.execute(by_object, (digest,)).fetchall())
            yield SharedNumber(masked, holders, objects, holders > spread_limit)


@dataclass(frozen=True, slots=True)
class DuplicatesJob:
    """An account to read; ``prefix`` stands before the names of its objects where there are several accounts."""

    crm: Crm
    shapes: Mapping[str, ObjectShape]
    prefix: str = ""
    progress: Progress = field(default_factory=NoProgress)
    must_end: Callable[[], bool] = lambda: False


def count_holders(job: DuplicatesJob, count: HolderCount) -> None:
    """Read every record of the mapped objects into the count. Raises what the CRM raises, and Terminated."""

    def heartbeat() -> None:
        if job.must_end():
            raise Terminated

    feed = job.crm.open_feed(dict.fromkeys(job.shapes))
    totals: dict[str, int] = {}
    with read_ahead(feed.changed(), PAGES_AHEAD, heartbeat, threaded=job.crm.capabilities.threads) as pages:
        for page in pages:
            if page.gone:
                continue
            totals[page.object] = max(page.total or 0, totals.get(page.object, 0))
            job.progress.phase("records", sum(totals.values()) or None)
            shape = job.shapes[page.object]
            count.add((RecordView(record, shape) for record in page.records), f"{job.prefix}{page.object}")
            job.progress.advance(len(page.records))
