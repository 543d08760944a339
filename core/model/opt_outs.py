"""What is known of opt-outs about some records: whom they cover, and what people have lifted."""

from __future__ import annotations

from typing import NamedTuple


class OptOuts(NamedTuple):
    """What the ledger knows about a batch of records. Records are named by (object, record id).

    ``covered`` holds the numbers (keys of :meth:`ringfence.core.model.record_view.RecordView.e164s`) that a flag covers
    which somebody raised. ``lifted`` holds those of which the last such flag was lowered, on a record that is there.
    ``released`` holds the records whose own flag was up and was lowered, ``derived`` those whose flag ringfence raised,
    and ``heirs`` those into which a record that had opted out was merged: its opt-out is theirs.
    """

    covered: frozenset[str] = frozenset()
    lifted: frozenset[str] = frozenset()
    released: frozenset[tuple[str, str]] = frozenset()
    derived: frozenset[tuple[str, str]] = frozenset()
    heirs: frozenset[tuple[str, str]] = frozenset()


NONE_KNOWN = OptOuts()
"""Nobody is known to have opted out."""
