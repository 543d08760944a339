"""The webhooks journal, read on by the service in a thread of its own for as long as it serves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

from ..operations.journal_feed import LOOK_EVERY, JournalFeed
from ..steady import keep_on
from .metrics import count

JOIN_S = 3.0
"""How long the end of the reading is waited for, in seconds: what is not on record by then is read again."""


@contextmanager
def reading_journals(feed: JournalFeed) -> Iterator[None]:
    """Read journals for the block; an error is told once, and the reading goes on."""
    must_end = threading.Event()
    thread = threading.Thread(target=_read, args=(feed, must_end), name="ringfence-journal", daemon=True)
    thread.start()
    try:
        yield
    finally:
        must_end.set()
        thread.join(JOIN_S)


def _read(feed: JournalFeed, must_end: threading.Event) -> None:
    def read_on() -> None:
        for what, events in feed.read_on(must_end.is_set).items():
            count("hubspot_events", events, outcome=what)

    with closing(feed):
        keep_on(read_on, must_end, LOOK_EVERY.total_seconds(), "The webhooks journal is not read")
