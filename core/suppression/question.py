"""The one question that every door asks: what blocks these numbers now, wherever that comes from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from ..decisions.consent import is_consent
from ..model.blocks import Block, BlockSource, Channel
from ..ports.services import Clock
from ..state.blocks import Blocks
from ..state.consents import find_consents
from ..state.crm_blocks import find_crm_blocks
from ..state.cursors import list_orgs
from ..state.listings import Listings
from ..state.store import Store
from .expired_lists import ExpiredLists


class SuppressionQuestion:
    """Asks one ledger: the flags of its accounts of one kind, people's entries, registries and signals.

    ``production`` tells whose flags count: those of production accounts, or those of sandboxes. The other sources
    count for both.
    """

    def __init__(self, store: Store, ledger: str, clock: Clock, *, production: bool) -> None:
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self.production = production
        self._blocks = Blocks(store.keyring, ledger)
        self._listings = Listings(store.keyring, ledger)

    def find(self, numbers: Collection[str]) -> dict[str, list[Block]]:
        """Return E.164 number -> what blocks it now, for those of the numbers that are blocked in any way."""
        if not numbers:
            return {}

        found: defaultdict[str, list[Block]] = defaultdict(list)
        with self._store.transaction() as connection:
            flags = find_crm_blocks(connection, self._store.keyring, numbers, self._ledger, production=self.production)
            entries = self._blocks.find_blocks(connection, numbers, self._clock.now())
            listed = self._listings.find(connection, numbers)

        for number, blocks in (*flags.items(), *entries.items(), *listed.items()):
            found[number] += blocks
        return dict(found)

    def find_expired_lists(self, *, allowed: bool = False) -> ExpiredLists:
        """Return the lists of the ledger that are too old; ``allowed`` tells that a person goes on all the same."""
        return ExpiredLists.read(self._store, self._ledger, self._clock.now(), allowed=allowed)

    def find_wrong_persons(self, numbers: Collection[str], accounts: Collection[str]) -> set[tuple[str, str, str]]:
        """Return (object, record id, number) where one of the numbers is somebody else's than the record's person.

        ``accounts`` is what commands call, or have called, the account of the records. Such a number is nobody's
        business elsewhere.
        """
        with self._store.transaction() as connection:
            found = self._blocks.find_wrong_persons(connection, numbers, accounts, self._clock.now())
        return {named for named, counts in found.items() if counts}

    def find_blocked(self, numbers: Collection[str], channel: Channel) -> dict[str, Block]:
        """Return those of the numbers that must not be contacted by the channel, with what says best how that ends.

        Of several blocks that is one which no clearing of a flag would end.
        """
        return choose_blocked(self.find(numbers), channel)

    def find_consenting(self, numbers: Collection[str], purpose: str) -> set[str]:
        """Return those of the numbers that a record holds whose consent covers the purpose now, as syncs have read it.

        That of the accounts whose flags count: a number whose consent was withdrawn elsewhere is blocked besides.
        """
        with self._store.transaction() as connection:
            keyring = self._store.keyring
            found = find_consents(connection, keyring, numbers, self._ledger, production=self.production)
        now = self._clock.now()
        return {number for number, given in found.items() if any(is_consent(each, purpose, now) for each in given)}


def choose_blocked(found: Mapping[str, Sequence[Block]], channel: Channel) -> dict[str, Block]:
    """Return those numbers that must not be contacted by the channel, of what :meth:`SuppressionQuestion.find` found.

    Each comes with what says best how that ends: of several blocks one which no clearing of a flag would end.
    """
    blocked: dict[str, Block] = {}
    for number, blocks in found.items():
        if forbidding := [each for each in blocks if each.channel.blocks(channel)]:
            blocked[number] = min(forbidding, key=lambda each: each.source is BlockSource.CRM)
    return blocked


def ask_ledger(store: Store, ledger: str, clock: Clock, *, sandbox: bool) -> SuppressionQuestion:
    """Return the question of a door that belongs to no account: to the production accounts unless ``sandbox``.

    Where a ledger has sandbox accounts alone, theirs are asked (docs/contract.md, section 2).
    """
    kinds = {production for _, production in list_orgs(store, ledger)}
    production = not sandbox and (True in kinds or False not in kinds)
    return SuppressionQuestion(store, ledger, clock, production=production)
