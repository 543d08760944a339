"""What Salesforce tells of its records: put on record, so that they are looked at."""

from __future__ import annotations

import hmac
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from ringfence.connectors.salesforce.outbound_messages import OutboundMessage
from ringfence.connectors.salesforce.record_ids import full_id
from ringfence.connectors.salesforce.settings import SalesforceSettings
from ringfence.core.ports.jobs import Jobs
from ringfence.core.state.notices import take_notices
from ringfence.core.state.store import Store

from ..wiring import Wiring
from .accounts import list_accounts_of
from .mapped import MappedObjects
from .waking import wake_records

CRM = "salesforce"

KNOWN_S = 30.0
"""For how many seconds the files of accounts are believed before they are read again."""


@dataclass(frozen=True, slots=True)
class Sender:
    """An org that may send messages: its account's wiring, its id of 18 characters, and the secret in the address."""

    wiring: Wiring
    organization_id: str
    secret: str


class MessageIntake:
    """Takes in outbound messages. It lives as long as the store; safe with threads."""

    def __init__(self, wiring: Wiring, store: Store, jobs: Jobs) -> None:
        self._wiring = wiring
        self._store = store
        self._jobs = jobs
        self._mapped = MappedObjects()
        self._lock = threading.Lock()
        self._senders: list[Sender] = []
        self._read_at: float | None = None

    def find_senders(self, secret: str) -> list[Sender]:
        """Return the orgs whose secret this is, compared in constant time; none where none is set."""
        given = secret.encode()
        return [each for each in self._known_senders() if hmac.compare_digest(each.secret.encode(), given)]

    def _known_senders(self) -> list[Sender]:
        now = self._wiring.clock.monotonic()
        with self._lock:
            if self._read_at is None or now - self._read_at >= KNOWN_S:
                self._senders, self._read_at = list(_list_senders(self._wiring)), now
            return self._senders

    def take_in(self, sender: Sender, message: OutboundMessage) -> Counter[str]:
        """Put on record what the notifications of a message bring, all or nothing, and return how many did what.

        ``woken`` lets their records be looked at; ``known`` was heard before, ``ignored`` is about objects that the
        mapping leaves out. Raises the errors of the mapping, and StateError.
        """
        shapes, account = self._mapped.of(sender.wiring), sender.wiring.name
        wanted = [each for each in message.notifications if each.object in shapes]
        told = Counter(ignored=len(message.notifications) - len(wanted), unreadable=message.unreadable)
        if not wanted:
            return +told

        with self._store.transaction() as connection:
            notices = [(CRM, each.id) for each in wanted]
            are_new = take_notices(connection, account, notices, sender.wiring.clock.now())
            ids: defaultdict[str, list[str]] = defaultdict(list)
            for each, is_new in zip(wanted, are_new, strict=True):
                told["woken" if is_new else "known"] += 1
                if is_new:
                    ids[each.object].append(each.record_id)
            wake_records(sender.wiring, self._store, self._jobs, account, ids, within=connection)
        return +told


def _list_senders(wiring: Wiring) -> Iterator[Sender]:
    """Yield the orgs whose id and secret are both set; an account whose file is wrong is left out, and told."""
    for account in list_accounts_of(wiring, CRM):
        settings = account.settings.connectors[CRM]
        assert isinstance(settings, SalesforceSettings)  # noqa: S101 - for the type checker
        organization_id = full_id(settings.organization_id or "")
        secret = settings.outbound_secret.get_secret_value().strip() if settings.outbound_secret else ""
        if organization_id and secret:
            yield Sender(account, organization_id, secret)
