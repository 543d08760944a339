"""Which account a portal of HubSpot is, and whose secret signs what comes from there."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from ringfence.connectors.http.retry import without_patience
from ringfence.connectors.hubspot.settings import HubSpotSettings
from ringfence.core.errors import FixError, RefusedError, StoppedError
from ringfence.core.ports.crm import Org
from ringfence.core.state.cursors import find_org, register_org
from ringfence.core.state.run_history import list_account_names
from ringfence.core.state.store import Store

from ..wiring import Wiring
from .accounts import list_accounts_of
from .suppression import ledger_of

CRM = "hubspot"

KNOWN_S = 30.0
"""For how many seconds the files of accounts are believed before they are read again."""

UNKNOWN_S = 60.0
"""For how many seconds a portal that no account has is not asked about again."""

AT_MOST_S = 2.0
"""For how many seconds it is waited while somebody else asks an account which portal it is."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Portal:
    """A portal that an account of ours is: the account's wiring, the state's own id of the org, its client secret."""

    id: str
    wiring: Wiring
    org_id: int
    secret: str

    @property
    def account(self) -> str:
        """Return what the account is called."""
        return self.wiring.name


class Portals:
    """The portals that the settings have accounts for. It lives as long as the store; safe with threads."""

    def __init__(self, wiring: Wiring, store: Store) -> None:
        self._wiring = wiring
        self._store = store
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._accounts: list[Wiring] = []
        self._read_at: float | None = None
        self._portals: dict[str, Portal] = {}
        self._unknown: dict[str, float] = {}

    def secrets(self) -> list[str]:
        """Return the client secrets of all accounts, each once; none where none is set."""
        with self._lock:
            self._refresh()
            return list(dict.fromkeys(filter(None, map(_secret_of, self._accounts))))

    def find(self, portal_id: str) -> Portal | None:
        """Return the portal with this id; None where no account is it.

        The history of runs tells, and where it does not, the accounts themselves are asked. Raises StateError, and
        StoppedError where an account cannot be asked right now, or somebody else is at it for longer than a moment.
        """
        with self._lock:
            is_told, portal = self._recall(portal_id)
            if is_told:
                return portal
            if (portal := self._find_in_history(portal_id)) is not None:
                self._portals[portal_id] = portal
                return portal

        # Whoever is known already must not wait for an account that does not answer.
        if not self._asking.acquire(timeout=AT_MOST_S):
            raise StoppedError(f"It is still being asked which account portal {portal_id} is.", "Call again.")
        try:
            return self._find_by_asking(portal_id)
        finally:
            self._asking.release()

    def _find_by_asking(self, portal_id: str) -> Portal | None:
        with self._lock:
            is_told, portal = self._recall(portal_id)
            accounts = self._accounts
        if is_told:
            return portal
        portal = self._ask(accounts, portal_id)
        with self._lock:
            if portal is None:
                self._unknown[portal_id] = self._wiring.clock.monotonic()
            elif accounts is self._accounts:
                self._portals[portal_id] = portal
        return portal

    def _recall(self, portal_id: str) -> tuple[bool, Portal | None]:
        """Return whether the answer is known without looking, and what it is."""
        self._refresh()
        if portal_id in self._portals:
            return True, self._portals[portal_id]
        asked_s = self._wiring.clock.monotonic() - self._unknown.get(portal_id, -inf)
        return asked_s < UNKNOWN_S, None

    def list_with_app(self) -> list[Portal]:
        """Return the portals whose accounts name an app by its id and secret; one whose token is refused is left out.

        Raises as :meth:`find` does.
        """
        with self._lock:
            self._refresh()
            accounts = [each for each in self._accounts if _has_app(each)]
        found = map(self._find_of_account, accounts)
        return [portal for portal in found if portal is not None]

    def _find_of_account(self, account: Wiring) -> Portal | None:
        with self._lock:
            known = next((each for each in self._portals.values() if each.account == account.name), None)
        if known is not None:
            return known
        org = _identify(account)
        return None if org is None else self.find(org.id)

    def _refresh(self) -> None:
        now = self._wiring.clock.monotonic()
        if self._read_at is not None and now - self._read_at < KNOWN_S:
            return
        accounts = list(list_accounts_of(self._wiring, CRM))
        if [each.settings for each in accounts] != [each.settings for each in self._accounts]:
            self._portals.clear()
            self._unknown.clear()
            self._accounts = accounts
        self._read_at = now

    def _find_in_history(self, portal_id: str) -> Portal | None:
        org = Org(CRM, portal_id, "", production=False)
        names = list_account_names(self._store, org.key)
        org_id = find_org(self._store, org)
        known = [each for each in self._accounts if each.name in names]
        if org_id is None or len(known) != 1:
            return None
        return Portal(portal_id, known[0], org_id, _secret_of(known[0]))

    def _ask(self, accounts: Iterable[Wiring], portal_id: str) -> Portal | None:
        for each in accounts:
            org = _identify(each)
            if org is not None and org.id == portal_id:
                return Portal(portal_id, each, register_org(self._store, org, ledger_of(each)), _secret_of(each))
        return None


def portal_of(account: Wiring, store: Store, portal_id: str) -> Portal | None:
    """Return the portal that an account is known to be; None where another account is, or nobody has been there."""
    org = Org(CRM, portal_id, "", production=False)
    names, org_id = list_account_names(store, org.key), find_org(store, org)
    if org_id is None or (names and account.name not in names):
        return None
    return Portal(portal_id, account, org_id, _secret_of(account))


def _secret_of(account: Wiring) -> str:
    settings = account.settings.connectors[CRM]
    assert isinstance(settings, HubSpotSettings)  # noqa: S101 - for the type checker
    return settings.client_secret.get_secret_value().strip() if settings.client_secret else ""


def _has_app(account: Wiring) -> bool:
    settings = account.settings.connectors[CRM]
    assert isinstance(settings, HubSpotSettings)  # noqa: S101 - for the type checker
    return bool(settings.client_id and settings.client_id.strip() and _secret_of(account))


def _identify(account: Wiring) -> Org | None:
    """Return the portal that an account's token belongs to; None where the token is missing or refused."""
    try:
        connection = account.connect(account.name, shapes={})
    except FixError:
        return None
    try:
        with without_patience():  # HubSpot waits for the answer, and comes back
            return connection.crm.identify()
    except RefusedError as error:
        logger.warning("The account %s does not tell which portal it is: %s", account.name, error)
        return None
    finally:
        connection.crm.close()
