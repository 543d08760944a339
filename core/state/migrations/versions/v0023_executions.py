"""Executions of workflow actions that were accepted."""

from __future__ import annotations

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Make room for them: there are none before."""
