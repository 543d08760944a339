"""Lists of registers that are too old to be relied on: what stops because of them, and what was allowed all the same.

An expired list goes on silencing whoever is on it. Who has come onto it since nobody knows, so that no number of its
country is called callable by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from ..errors import ErrorCode, StoppedError
from ..state.listings import ListInfo, Listings
from ..state.store import Store

_PART_OF = {
    **dict.fromkeys(("AS", "GU", "MP", "PR", "VI"), "US"),
    **dict.fromkeys(("GG", "IM", "JE"), "GB"),
    **dict.fromkeys(("CC", "CX"), "AU"),
}
"""Regions whose numbers stand in the register of another country."""


class ExpiredLists:
    """The expired lists of a ledger, and which of them a piece of work has to do with, by the regions that it met.

    ``allowed`` tells that a person goes on all the same. ``named`` are those that the work has to do with.
    """

    def __init__(self, lists: Iterable[ListInfo], *, allowed: bool) -> None:
        self.allowed = allowed
        self.named: list[ListInfo] = []
        self._lists = list(lists)

    @classmethod
    def read(cls, store: Store, ledger: str, now: datetime, *, allowed: bool) -> ExpiredLists:
        """Return those of the ledger that are expired at the moment ``now`` (UTC)."""
        with store.transaction() as connection:
            lists = Listings(store.keyring, ledger).current(connection)
        return cls([each for each in lists if each.is_expired(now)], allowed=allowed)

    @classmethod
    def none(cls) -> ExpiredLists:
        """Return that no list is expired, as where there is none."""
        return cls((), allowed=True)

    def __bool__(self) -> bool:
        """Return whether any list is expired."""
        return bool(self._lists)

    def meet(self, regions: Iterable[str | None]) -> StoppedError | None:
        """Take in that the work has to do with numbers of these ISO 3166 regions.

        Returns the error by which it ends, where an expired list covers one of them and nobody has allowed that.
        """
        return self._name(self._covering(regions))

    def find_names(self, regions: Iterable[str | None]) -> list[str]:
        """Return the names of those that cover numbers of these ISO 3166 regions."""
        return sorted(each.name for each in self._covering(regions))

    def meet_any(self) -> StoppedError | None:
        """Take in that the work may have to do with numbers of any region."""
        return self._name(self._lists)

    def refuse(self, regions: Iterable[str | None]) -> None:
        """Raise StoppedError where :meth:`meet` returns one."""
        if error := self.meet(regions):
            raise error

    @property
    def names(self) -> list[str]:
        """Return the names of those that the work has to do with."""
        return sorted(each.name for each in self.named)

    def _covering(self, regions: Iterable[str | None]) -> list[ListInfo]:
        countries = {_PART_OF.get(region, region) for region in regions if region}
        return [each for each in self._lists if each.jurisdiction in countries]

    def _name(self, lists: Sequence[ListInfo]) -> StoppedError | None:
        self.named += [each for each in lists if each not in self.named]
        return None if self.allowed or not lists else _error(lists)


def describe(info: ListInfo) -> str:
    """Return the list in words, with its dates."""
    until = f"{info.expires:%Y-%m-%d}" if info.expires else "any day"
    return f"{info.name} ({info.jurisdiction}) of {info.as_of:%Y-%m-%d} could be used until {until}"


def _error(lists: Sequence[ListInfo]) -> StoppedError:
    return StoppedError(
        f"A do-not-call list is expired: {'; '.join(map(describe, lists))}. Who has come onto it since is not known: "
        "opt-outs that are known hold, nothing is bought, and no number is called callable.",
        code=ErrorCode.LISTS_EXPIRED,
    )
