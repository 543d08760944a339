"""What is put on record while a job that waits stands for it: it is there before the job begins to read.

One job waits at a time for work of one kind, and whoever brings more of it finds that job and leaves it at that. On
PostgreSQL the job may begin in the milliseconds before the bringer's transaction is committed; it would read too early,
and what came would be left. So a job that begins to read waits for whoever is just bringing something. In a file there
is one writer at a time anyway.
"""

from __future__ import annotations

from enum import IntEnum

from sqlalchemy import Connection, func, select


class Intake(IntEnum):
    """A kind of work that waits in the state: the first half of the lock's name in the database."""

    EXECUTIONS = 0x72660017
    WAKES = 0x72660018
    CHECKS = 0x72660019
    SIGNS = 0x7266001A


def hold_intake(connection: Connection, intake: Intake, part: int = 0) -> None:
    """Let nobody begin to read such work until the transaction is over; others may bring theirs meanwhile.

    To be called before the job is put on record. ``part`` tells apart what different jobs read.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock_shared(int(intake), part)))


def await_intake(connection: Connection, intake: Intake, part: int = 0) -> None:
    """Wait until what is just being brought is there; to be called first in the transaction that reads."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(int(intake), part)))
