"""The org behind the token, also where the user may not read the record of the organization."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ringfence.core.errors import AccessError, SchemaError
from ringfence.core.ports.crm import Org

from .client import Row, SalesforceClient
from .errors import CODES, Action, AnswerError
from .user import ADDRESS

_DEVELOPER = "Developer Edition"
_NOT_PRODUCTION = re.compile(r"\.(sandbox|scratch|develop|trailblaze)\.(my|lightning)\.", re.IGNORECASE)
"""What the addresses of all other orgs have in them, where the org has the enhanced domains of today."""

_QUERIES = (
    "SELECT Id, Name, IsSandbox, OrganizationType FROM Organization LIMIT 1",
    "SELECT Id, Name, IsSandbox FROM Organization LIMIT 1",
)


def read_org(client: SalesforceClient, name: str) -> Org:
    """Return the org; what nobody tells counts as production. A Developer Edition does not count as production.

    Where the record of the organization is refused, the log-in's address of the user names the org, else its host.
    """
    row = _read_record(client)
    host = urlsplit(client.instance_url).netloc or client.instance_url
    if row is None:
        return Org(name, _named_by_user(client) or host, host, not _NOT_PRODUCTION.search(host), client.instance_url)

    production = not row.get("IsSandbox") and row.get("OrganizationType") != _DEVELOPER
    return Org(name, str(row["Id"]), str(row.get("Name") or host), production, client.instance_url)


def _read_record(client: SalesforceClient) -> Row | None:
    for soql in _QUERIES:
        try:
            records = client.query(soql, "login")["records"]
        except AnswerError as error:
            if CODES.get(error.fault.code) is not Action.RENAME:
                raise
            continue
        return records[0] if records and records[0].get("Id") else None
    return None


def _named_by_user(client: SalesforceClient) -> str | None:
    try:
        found = ADDRESS.search(client.user_address("login"))
    except (AccessError, SchemaError):
        return None
    return found["org"] if found else None
