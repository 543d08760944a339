"""The accounts that a command reads as they are now."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ringfence.core.errors import UsageError
from ringfence.core.ports.crm import Org

from ..wiring import Connection, Wiring


@dataclass(frozen=True, slots=True)
class Source:
    """An account to read."""

    wiring: Wiring
    connection: Connection
    org: Org


def choose_accounts(wiring: Wiring, crm: str | None, mapping: Path | None) -> list[str]:
    """Return the names of the accounts to read. Raises UsageError where there are none, or a mapping is for several."""
    if crm is not None:
        return [crm]
    configured = wiring.accounts()
    if not configured:
        raise UsageError("No CRM is configured.", "Set the credentials of one; .env.example lists them.")
    if mapping is not None and len(configured) > 1:
        raise UsageError(
            "A mapping file is for one CRM, and there are several.", "Name the CRM, or use a folder for all."
        )
    return configured


def open_sources(wiring: Wiring, names: Sequence[str], mapping: Path | None, closed: ExitStack) -> list[Source]:
    """Return the accounts, connected; they are closed with ``closed``."""
    sources = []
    for name in names:
        of_account = wiring.of(name)
        connection = of_account.connect(name, mapping)
        closed.callback(connection.crm.close)
        sources.append(Source(of_account, connection, connection.crm.identify()))
    return sources


def of_one_kind(sources: Sequence[Source], *, sandbox: bool) -> list[Source]:
    """Return the production accounts, else the sandboxes, or these where they are wanted (contract.md, section 2)."""
    found = [each for each in sources if each.org.production is not sandbox]
    if not found and sandbox:
        raise UsageError("No sandbox account is configured.", "Ask for the production accounts.")
    return found or list(sources)
