"""Signals from outside, taken in for the service: read, put on the ledger, carried to the records of the number."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from ringfence.core.decisions.opt_out_words import OptOutWords
from ringfence.core.errors import SettingsError, UsageError
from ringfence.core.model.blocks import Channel
from ringfence.core.model.signals import OptOutWord, Signal
from ringfence.core.numbers import mask, read_number
from ringfence.core.ports.jobs import Jobs
from ringfence.core.state.forget import list_accounts
from ringfence.core.state.heard_signals import take_turns
from ringfence.core.state.holdings import list_holders
from ringfence.core.state.store import Store
from ringfence.core.suppression.signals import Became, SignalIntake, Told

from ..config_files import find_evidence_rules, find_opt_out_words
from ..wiring import Wiring
from .accounts import name_of_org
from .regions import home_region
from .suppression import find_record, ledger_of
from .waking import wake_records

MOST_WOKEN = 200
"""Records that hear of a block at once; those of a switchboard hear of it in the next sync."""

logger = logging.getLogger(__name__)


class SignalDoor:
    """Takes verified signals in for an open state store, and lets records hear of blocks by ``jobs``; None: by their
    next sync alone. Making it raises FileError or MappingError of the words.
    """

    def __init__(self, wiring: Wiring, store: Store, jobs: Jobs | None) -> None:
        self._wiring = wiring
        self._store = store
        self._jobs = jobs
        self._ledger = ledger_of(wiring)
        self._rules = find_evidence_rules(wiring.settings.mappings)
        self._words = OptOutWords.of(find_opt_out_words(wiring.settings.mappings))

    def take_in(self, signals: Sequence[Signal], *, strict: bool = False) -> list[Became]:
        """Do what signals ask for, and return what became of each; one transaction keeps all of them or none.

        The records that are known to hold a number which was blocked are put on record in it, to be synced at once.
        With ``strict`` a number that nobody can read, and a record that is none, is the sender's mistake: UsageError.
        Raises StateError.
        """
        became = self.take_in_read([self.read(signal, strict=strict) for signal in signals])
        for signal, done in zip(signals, became, strict=True):
            if done is Became.UNREADABLE:
                logger.warning(
                    "%s told of %s, which is no number: nothing was done.", signal.vendor, mask(signal.number)
                )
        return became

    def take_in_read(self, read: Sequence[Told], *, for_ever: bool = False) -> list[Became]:
        """Do what :meth:`take_in` does, for signals that :meth:`read` has returned. With ``for_ever`` it is remembered
        without end that they were heard. Raises StateError.
        """
        if not read:
            return []
        called = self._name_accounts()
        covers = Channel(self._wiring.settings.signals.stop_covers.value)
        now = self._wiring.clock.now()
        intake = SignalIntake(
            self._store.keyring, self._ledger, covers, now, lambda org: called.get(org, _crm_of(org)), self._rules
        )

        with self._store.transaction() as connection:
            take_turns(connection, self._store.keyring, {number for _, numbers in read for number in numbers})
            became = intake.take_in_all(connection, read, for_ever=for_ever)
            tightened = [numbers for (_, numbers), done in zip(read, became, strict=True) if done.tightens]
            if tightened and self._jobs is not None:
                self._wake(connection, self._jobs, {number for numbers in tightened for number in numbers}, called)
        return became

    def read(self, signal: Signal, *, strict: bool = False) -> Told:
        """Return a signal with what its text asks for and its record as the CRM names it, and the numbers that it may
        be about; without numbers it cannot be read. Raises UsageError for a record that is none, and where ``strict``
        for a number that is none.
        """
        signal = self._recognised(signal)
        found = read_number(signal.number, home_region(self._wiring, signal.region))
        numbers = [found.e164] if found.e164 else [each for each in found.covers if each.startswith("+")]
        if strict and not numbers:
            raise UsageError(
                f"{mask(signal.number)} cannot be read as a number.", "Write it with its plus, or name its region."
            )
        if signal.record is not None:
            signal = signal._replace(record=find_record(self._wiring, str(signal.record)))
        return signal, numbers

    def _recognised(self, signal: Signal) -> Signal:
        """Return the signal with what its text asks for; of two opinions the one that asks for silence counts."""
        if not signal.said or signal.word is OptOutWord.STOP:
            return signal
        word = self._words.recognise(signal.said)
        return signal if word is None else signal._replace(word=word)

    def _name_accounts(self) -> Mapping[str, str]:
        """Return what commands call each account whose key is not its CRM's name; before any transaction has begun."""
        if not self._wiring.settings.account_files:
            return {}
        return {each.key: name_of_org(self._wiring, self._store, each.key) for each in list_accounts(self._store)}

    def _wake(self, connection: Connection, jobs: Jobs, numbers: Iterable[str], called: Mapping[str, str]) -> None:
        """Put the records that hold any of the numbers on record to be synced at once."""
        records: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        keys = list(map(self._store.keyring.number_key, numbers))
        holders = list_holders(connection, self._ledger, keys, MOST_WOKEN)
        for org, name, record_id in holders:
            records[called.get(org, _crm_of(org))][name].append(record_id)
        for account, held in records.items():
            try:
                if account in self._wiring.accounts():
                    wake_records(self._wiring, self._store, jobs, account, held, within=connection)
            except (UsageError, SettingsError) as error:
                # The block stands whatever is wrong with an account; its next sync carries it to the records.
                logger.warning("%s hears of a block in its next sync alone: %s", account, error)


def _crm_of(org: str) -> str:
    return org.partition(":")[0]
