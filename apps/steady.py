"""Work that a long-lived process does turn by turn in a thread, whatever ends one of the turns."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from ringfence.core.errors import RingfenceError, StoppedError

logger = logging.getLogger(__name__)


def keep_on(turn: Callable[[], None], must_end: threading.Event, pause_s: float, what: str) -> None:
    """Do a turn again and again, with a pause of so many seconds behind each, until ``must_end`` is set.

    An error ends its turn and no more. It is logged once for as long as it stays the same; ``what`` says what does not
    happen meanwhile, such as "Jobs are not worked off".
    """
    told = ""
    while not must_end.is_set():
        try:
            turn()
            told = ""
        except RingfenceError as error:
            if error.message != told:
                told = error.message
                level = logging.WARNING if isinstance(error, StoppedError) else logging.ERROR
                logger.log(level, "%s: %s It is tried again.", what, error)
        except Exception:  # whatever it is: it would end this thread, and the process would go on without it unnoticed
            logger.exception("%s, by a fault of ringfence itself. It is tried again.", what)
        must_end.wait(pause_s)
