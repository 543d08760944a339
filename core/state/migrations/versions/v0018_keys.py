"""Which key seals which payload, and how far a rotation has come."""

from __future__ import annotations

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Make room for it."""
