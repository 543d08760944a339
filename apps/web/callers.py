"""Who calls: the token in a request, and what its role allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request

from ringfence.core.model.roles import Role
from ringfence.core.state.tokens import find_token

from .problems import ProblemError
from .service import find_service

_SCHEME = "bearer"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever called: the name of the token, which is the author of what it does, and its role."""

    name: str
    role: Role


def needs(role: Role) -> Callable[[Request], Caller]:
    """Return the dependency of a route that only callers of a role may use.

    It raises ProblemError: 401 without a token that counts, 403 for one of another role.
    """

    def find_caller(request: Request) -> Caller:
        service = find_service(request)
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        with service.store.transaction() as connection:
            token = find_token(connection, given.strip()) if scheme.lower() == _SCHEME else None
        if token is None:
            raise ProblemError(
                401, "A token is missing or counts no more. Send Authorization: Bearer TOKEN.", headers=_CHALLENGE
            )
        if not token.role.may(role):
            raise ProblemError(403, f"The token has the role {token.role}, and this needs {role}.")
        return Caller(token.name, token.role)

    return find_caller


_CHALLENGE = {"WWW-Authenticate": "Bearer"}
