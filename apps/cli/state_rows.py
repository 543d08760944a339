"""How many rows of which kind there are, in words."""

from __future__ import annotations

from collections import Counter

_ROWS = {
    "runs": "runs",
    "batches": "batches of changes",
    "lookup_answers": "answers of lookups",
    "lookup_failures": "failed lookups",
    "lookup_history": "live answers of lookups, each word",
    "lookup_questions": "open questions of lookups",
    "blocks": "entries of the suppression ledger",
    "evidence": "events that were told",
    "heard_signals": "marks of signals",
    "erased_numbers": "marks put in their place",
    "cursors": "cursors",
    "pending": "records that wait",
    "holdings": "numbers that records hold",
    "opt_out_flags": "numbers under opt-out flags",
    "merged_records": "records that were merged or deleted",
}
"""How the rows of each table are called; of the others a person need not know."""


def list_rows(rows: Counter[str]) -> str:
    """Return in words how many rows of which kind there are."""
    return ", ".join(f"{called}: {rows[name]:,}" for name, called in _ROWS.items() if rows[name]) or "nothing"
