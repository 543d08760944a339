"""Who may call the service: tokens by name, of which only hashes are kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from ..errors import UsageError
from ..model.roles import Role
from . import schema
from .sql import insert_missing

_Table = schema.tokens
_BYTES = 32
PREFIX = "rfk_"
"""What every token begins with, so that a scanner for secrets recognises one."""


class Token(NamedTuple):
    """Who may call: ``created_at`` is aware, in UTC; ``author`` is who made it."""

    name: str
    role: Role
    created_at: datetime
    author: str


def add_token(connection: Connection, name: str, role: Role, author: str, now: datetime) -> str:
    """Make a token and return it, this once. Raises UsageError where the name is taken."""
    token = PREFIX + secrets.token_urlsafe(_BYTES)
    row = {"name": name, "role": role.value, "hash": _hash(token), "created_at": now, "author": author}
    if not insert_missing(connection, _Table, [row]):
        raise UsageError(f"There is a token {name!r} already.", "Revoke it first, or take another name.")
    return token


def find_token(connection: Connection, token: str) -> Token | None:
    """Return whose token it is; None where it is nobody's."""
    row = connection.execute(select(*_SHOWN).where(_Table.c.hash == _hash(token))).one_or_none()
    return None if row is None else Token(row.name, Role(row.role), row.created_at, row.author)


def list_tokens(connection: Connection) -> list[Token]:
    """Return all tokens by name."""
    rows = connection.execute(select(*_SHOWN).order_by(_Table.c.name))
    return [Token(row.name, Role(row.role), row.created_at, row.author) for row in rows]


def revoke_token(connection: Connection, name: str) -> bool:
    """Let a token count no more; return whether there was one of this name."""
    return connection.execute(delete(_Table).where(_Table.c.name == name)).rowcount > 0


_SHOWN = (_Table.c.name, _Table.c.role, _Table.c.created_at, _Table.c.author)


def _hash(token: str) -> bytes:
    # 256 random bits cannot be guessed, so that no slow hash is needed: the service asks with every request.
    return hashlib.sha256(token.encode()).digest()
