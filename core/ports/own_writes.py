"""What the core tells a connector of the writes of this installation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol


class OwnWrites(Protocol):
    """Tells which records this installation has changed in the account, so that a CRM need not read all of them back.

    The CRMs show our own writes among the changes. What is told here comes from the journal, which knows of a write
    before it is sent; so nothing that was written is missing, and some of it may not have been written after all.
    """

    def __call__(
        self, object_name: str, since: datetime, before: datetime | None = None
    ) -> Iterator[tuple[datetime, Sequence[str]]]:
        """Yield (moment, record ids) of each batch of writes planned at or after ``since``, the newest first.

        ``before`` leaves out what was planned after that moment. A record may be named more than once.
        """
        ...


def no_own_writes(
    object_name: str,  # noqa: ARG001 - the parameters of OwnWrites
    since: datetime,  # noqa: ARG001 - the parameters of OwnWrites
    before: datetime | None = None,  # noqa: ARG001 - the parameters of OwnWrites
) -> Iterator[tuple[datetime, Sequence[str]]]:
    """Tell of no writes: see :class:`OwnWrites`."""
    return iter(())
