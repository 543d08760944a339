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
    price: float  # what one number costs, for previews, in the currency of the settings

    def look_up(self, numbers: Iterable[str]) -> Iterator[Answer]:
        """Look up each E.164 number once, yielding each answer as it comes, in any order.

        A number is taken from ``numbers`` only when it is about to be sent. A passing fault of one number is an answer
        of kind FAILED; it is LOST only where the request surely went out, may have been billed, and its answer did not
        come. What may have been billed is not repeated. Raises AuthenticationError, QuotaError or UnreachableError when
        no number can be answered; numbers taken and not answered were then not billed.
        """
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


@dataclass(frozen=True, slots=True)
class LookupPlugin:
    """What a lookup provider registers under the entry-point group ``ringfence.lookups``.

    ``settings`` becomes the nested settings ``RINGFENCE_<NAME>__*``; ``configured`` tells whether enough of them are
    set; ``connect`` wires the provider without making a call.
    """

    name: str
    settings: type[BaseModel]
    configured: Callable[[Any], bool]
    connect: Callable[[Any, Services], Lookup]
