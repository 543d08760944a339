"""The door that nobody stands behind: what would ask a person is refused, and no progress is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ringfence.core.errors import CostError, ErrorCode, UsageError
from ringfence.core.runs.progress import NoProgress

from ..operations.door import BuyForFile, BuyLookups, Door, DoorProgress, Question
from ..remedies import explain, word

AUTHOR = "service"
"""Who acts where no caller does, such as a job."""


class _Quiet(NoProgress):
    """Progress that nobody watches, of a file too."""

    def at(self, done: int, total: int) -> None:
        """Show nothing."""


def open_web_door(must_end: Callable[[], bool] = lambda: False) -> Door:
    """Return the door of the service; ``must_end`` tells whether the process was asked to end."""
    return Door(
        confirm=_refuse,
        progress=_show_nothing,
        explain=explain,
        word=word,
        must_end=must_end,
        unattended=True,
        author=AUTHOR,
    )


@contextmanager
def _show_nothing(_title: str) -> Iterator[DoorProgress]:
    yield _Quiet()


def _refuse(question: Question) -> None:
    """Answer no to everything but what a cap holds. Raises CostError or UsageError."""
    match question:
        case BuyLookups(lookups, cost):
            raise CostError(lookups, cost, code=ErrorCode.LOOKUPS_NOT_AGREED)
        case BuyForFile(lookups, cost, capped) if not capped:
            raise CostError(lookups, cost, code=ErrorCode.LOOKUPS_NOT_AGREED)
        case BuyForFile():
            return
        case _:
            raise UsageError("This needs a person's word, and nobody is at the service.", "Do it on the command line.")
