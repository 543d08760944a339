"""Who may call the service: tokens made, listed and revoked, each change an entry of the audit log."""

from __future__ import annotations

import re
from contextlib import closing

from ringfence.core.clock import whole_seconds
from ringfence.core.config.spelling import did_you_mean
from ringfence.core.errors import ErrorCode, UsageError
from ringfence.core.model.roles import Role
from ringfence.core.numbers import mask_numbers
from ringfence.core.state.audit import Act, AuditAction, AuditLog
from ringfence.core.state.tokens import Token, add_token, list_tokens, revoke_token

from ..wiring import Wiring
from .door import Door

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._@-]{0,62}[A-Za-z0-9])?")
_RESERVED = {"unknown", "service"}
"""Authors that the service itself names."""


def make_token(wiring: Wiring, name: str, role: str, door: Door) -> tuple[Token, str]:
    """Make a token, and return what is known of it and the token itself, this once.

    Raises UsageError for a name that is none or is taken and a role that there is none of, and the state's errors.
    """
    known = [each.value for each in Role]
    if role not in known:
        raise UsageError(f"There is no role {role!r}{did_you_mean(role, known)}.", f"There are: {', '.join(known)}.")
    if not _NAME.fullmatch(name) or name.lower() in _RESERVED or mask_numbers(name) != name:
        raise UsageError(
            f"A token cannot be called {mask_numbers(name)!r}.",
            "Up to 64 letters, digits, blanks, dots, hyphens, underscores and @, and no phone number: logs name it.",
        )

    made = Token(name, Role(role), whole_seconds(wiring.clock.now()), door.author)
    with closing(wiring.open_state()) as store, store.transaction() as connection:
        token = add_token(connection, *made[:2], made.author, made.created_at)
        act = Act(made.created_at, door.author, AuditAction.ADD_TOKEN, f"token {name}", f"role {role}")
        AuditLog(store.keyring).append(connection, act)
    return made, token


def show_tokens(wiring: Wiring) -> list[Token]:
    """Return all tokens by name; none of them can be shown again. Raises the state's errors."""
    store = wiring.open_state_if_there()
    if store is None:
        return []
    with closing(store), store.transaction() as connection:
        return list_tokens(connection)


def withdraw_token(wiring: Wiring, name: str, door: Door) -> None:
    """Let a token count no more. Raises UsageError where there is none of this name, and the state's errors."""
    store = wiring.open_state_if_there()
    if store is None:
        raise UsageError("There is no state store yet, and so no token.", code=ErrorCode.NO_STATE)
    with closing(store), store.transaction() as connection:
        known = [token.name for token in list_tokens(connection)]
        if not revoke_token(connection, name):
            raise UsageError(f"There is no token {name!r}{did_you_mean(name, known)}.", code=ErrorCode.TOKEN_NOT_FOUND)
        act = Act(wiring.clock.now(), door.author, AuditAction.REVOKE_TOKEN, f"token {name}")
        AuditLog(store.keyring).append(connection, act)
