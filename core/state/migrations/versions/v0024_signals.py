"""Signals that were heard, and the evidence in them."""

from __future__ import annotations

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Make room for them: there are none before."""
