"""The webhooks journal, read on by the service in a thread of its own for as long as it serves."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

from ringfence.core.errors import RingfenceError, StoppedError

from ..operations.journal_feed import LOOK_EVERY, JournalFeed
from .metrics import count

JOIN_S = 3.0
"""How long the end of the reading is waited for, in seconds: what is not on record by then is read again."""

logger = logging.getLogger(__name__)


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
    told = ""
    with closing(feed):
        while not must_end.is_set():
            try:
                for what, events in feed.read_on(must_end.is_set).items():
                    count("hubspot_events", events, outcome=what)
                told = ""
            except RingfenceError as error:
                if error.message != told:
                    told = error.message
                    level = logging.WARNING if isinstance(error, StoppedError) else logging.ERROR
                    logger.log(level, "The webhooks journal is not read: %s", error)
            except Exception:
                logger.exception("the webhooks journal is not read, by a fault")
            must_end.wait(LOOK_EVERY.total_seconds())
