"""The user behind the token, also where the token lacks the scope for the user's details."""

from __future__ import annotations

import re

from ringfence.core.errors import AccessError, AuthenticationError, SchemaError, UnreachableError

from .client import Row, SalesforceClient
from .soql import literal

ADDRESS = re.compile(r"/id/(?P<org>\w{15,18})/(?P<user>\w{15,18})/?\Z")
"""The address of a user ends in the ids of the org and of the user (REST guide, "Identity URLs")."""


def read_user(client: SalesforceClient, purpose: str) -> Row:
    """Return the user: ``user_id``, and ``preferred_username`` and ``name`` where they are told.

    Raises as the client does where nothing names the user.
    """
    try:
        return client.userinfo(purpose)
    except (AuthenticationError, AccessError, SchemaError, UnreachableError):
        found = ADDRESS.search(client.user_address(purpose))
        if found is None:
            raise

    return {"user_id": found["user"], **_name(client, purpose, found["user"])}


def _name(client: SalesforceClient, purpose: str, user_id: str) -> Row:
    soql = f"SELECT Username, Name FROM User WHERE Id = {literal(user_id)}"  # noqa: S608  # the literal is escaped
    try:
        rows = client.query(soql, purpose)["records"]
    except (AccessError, SchemaError):
        return {}
    return {"preferred_username": rows[0]["Username"], "name": rows[0]["Name"]} if rows else {}
