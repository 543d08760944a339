"""The contract of a carrier-lookup provider."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel

from ..model.answers import Answer, Order
from ..model.axes import Axis
from .services import Services

NOT_ASKED = "not asked, for the provider refuses us"
"""Code of the FAILED answer about a number that was taken and never sent, because another one was refused meanwhile."""


@dataclass(frozen=True, slots=True)
class ProviderProfile:
    """What a provider can tell and where, as far as that is known without asking it.

    ``title`` is what people call it. ``countries`` are ISO 3166 regions; empty: everywhere. ``price`` is the list price
    of one number, in US dollars; None where none is published. ``batch`` is how many numbers go into one call, and
    ``pace`` how many calls a second are allowed; None where the provider does not say. ``note`` is one sentence on what
    its word is worth, for people who take "valid" for "alive".
    """

    title: str
    tells: frozenset[Axis]
    countries: Sequence[str] = ()
    price: float | None = None
    batch: int = 1
    pace: float | None = None
    note: str = ""


class Lookup(Protocol):
    """One carrier-lookup provider. Its methods may be called from any thread, ``look_up`` by one at a time."""

    name: str
    realm: str  # provider, host and account: answers of a sandbox never serve production
    price: float | None  # what one number costs, in the currency of the settings; None where nobody knows
    pace: float | None  # calls a second that are allowed; None where nobody says
    profile: ProviderProfile

    def look_up(self, numbers: Iterable[str]) -> Iterator[Answer | Order]:
        """Look up each E.164 number once, yielding each answer as it comes, in any order.

        A number is taken from ``numbers`` only when it is about to be sent. A passing fault of one number is an answer
        of kind FAILED; it is LOST only where the request surely went out, may have been billed, and its answer did not
        come. What may have been billed is not repeated. A provider that answers later yields an Order for the numbers
        that it has taken. One that was taken and then not sent after all is FAILED with the code NOT_ASKED.
        Raises AuthenticationError, QuotaError or UnreachableError when no number can be answered; numbers taken and
        neither answered nor ordered were then not billed.
        """
        ...

    def check(self) -> str | None:
        """Find out whether the credentials work, buying nothing: None where they do.

        Returns a sentence where that cannot be found out without a paid call. Raises AuthenticationError, QuotaError
        or UnreachableError where they do not.
        """
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


@runtime_checkable
class OrderingLookup(Lookup, Protocol):
    """A provider that answers later what it was asked.

    ``waits_s`` is for how many seconds a run waits for an order: 0 where no answer can come while it runs.
    """

    waits_s: float

    def collect(self, order: Order) -> Iterator[Answer]:
        """Yield the answers to an order that have come, each number once; none while all are still to come.

        It does not wait. A number that the order was for and that the provider will never answer is LOST. Raises as
        ``look_up``.
        """
        ...


@dataclass(frozen=True, slots=True)
class LookupPlugin:
    """What a lookup provider registers under the entry-point group ``ringfence.lookups``.

    ``settings`` becomes the nested settings ``RINGFENCE_<NAME>__*``, in upper case with ``-`` as ``_``; ``configured``
    tells whether enough of them are set; ``connect`` wires the provider without making a call.
    """

    name: str
    settings: type[BaseModel]
    configured: Callable[[Any], bool]
    connect: Callable[[Any, Services], Lookup]
    profile: ProviderProfile
