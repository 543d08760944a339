"""The lookup providers of an operation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ringfence.core.ports.lookup import Lookup


@contextmanager
def open_lookups(lookups: Sequence[Lookup]) -> Iterator[Sequence[Lookup]]:
    """Yield the providers, and close them at the end."""
    try:
        yield lookups
    finally:
        for lookup in lookups:
            lookup.close()
