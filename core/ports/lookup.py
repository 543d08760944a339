"""The contract of a carrier-lookup provider."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

from ..model.answers import Answer
from .services import Services


class Lookup(Protocol):
    """One carrier-lookup provider."""

    name: str
    realm: str  # provider, host and account: answers of a sandbox never serve production

    def look_up(self, numbers: Iterable[str]) -> Iterator[Answer]:
        """Ask about each E.164 number once, yielding each answer as it comes, in any order.

        A number is taken from ``numbers`` only when it is about to be asked. A passing fault of one number is an
        answer of kind FAILED, with ``paid`` where the question had gone out. Raises AuthenticationError, QuotaError or
        UnreachableError when no number can be answered; those taken and not answered were then not billed.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


@dataclass(frozen=True, slots=True)
class LookupPlugin:
    """What a lookup provider registers under the entry-point group ``ringfence.lookups``."""

    name: str
    settings: type[BaseModel]
    configured: Callable[[Any], bool]
    connect: Callable[[Any, Services], Lookup]
