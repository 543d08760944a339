"""The opt-out ledger: who holds which number, and which numbers are covered by whose opt-out flag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection

from ..model.opt_outs import OptOuts
from ..model.shapes import OptOutFlag
from ..model.verdicts import OptOut
from ..ports.services import Clock
from .flag_heritage import FlagHeritage
from .flag_origins import settle_flags
from .flag_states import COVERING, DERIVED, UP, FlagState
from .holdings import Holding, Holdings, Key
from .merged_records import MergedRecords
from .opt_out_fields import KnownFlag, OptOutFields
from .opt_out_flags import OptOutFlags
from .pending import enqueue_holders
from .sql import in_batches
from .store import Store


class OptOutLedger:
    """The opt-out ledger of one org, as one run reads and extends it. A record is named by (object, record id).

    A flag that somebody raised covers its record's numbers wherever they stand; one that ringfence raised silences its
    own record and covers nothing. Each method is one transaction over three tables: holdings, opt-out flags and merged
    records.
    """

    def __init__(self, store: Store, org_id: int, run_id: str, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._org_id = org_id
        self._run_id = run_id
        self._holdings = Holdings(store.keyring, org_id)
        self._flags = OptOutFlags(store.keyring, org_id, run_id)
        self._heritage = FlagHeritage(org_id, run_id)
        self._merged = MergedRecords(org_id, run_id)
        self._fields = OptOutFields(org_id)
        self._heirs: set[Key] = set()

    def settle_flags(self, flag_fields: Mapping[str, str]) -> None:
        """Find out whose flags those are that an earlier version kept; ``flag_fields`` is object -> opt-out field."""
        settle_flags(self._store, self._org_id, flag_fields)

    def record(self, holdings: Sequence[Holding]) -> None:
        """Record what records, which are there, hold and whether their flag is up.

        A number once covered by a record's flag stays covered until that record is seen with its flag down, also when
        the record's number was changed meanwhile: permission only tightens on its own. When the last flag on a number
        goes, every record that holds the number waits to be looked at again, for its slots may be callable again.
        """
        with self._store.transaction() as connection:
            known = self._holdings.replace(connection, holdings)
            freed = self._flags.take_down(connection, [each for each in holdings if each.flagged is False])
            # Only where the state is lost do the slots tell whose flag it is: a flag of ringfence's would be known.
            raised = [each for each in holdings if each.flagged]
            self._flags.set_up(
                connection, [each._replace(said=OptOut.NONE) if each[:2] in known else each for each in raised]
            )
            self._enqueue_holders(connection, freed)

    def raise_flags(self, records: Sequence[tuple[str, str, tuple[str, ...]]]) -> None:
        """Record that ringfence has raised the flag of these records: (object, record id, its numbers)."""
        if not records:
            return
        with self._store.transaction() as connection:
            self._flags.set_up_own(connection, [Holding(*record, flagged=True) for record in records], self._heirs)

    def covered(self, numbers: Collection[str]) -> frozenset[str]:
        """Return those numbers that a flag covers."""
        with self._store.transaction() as connection:
            return self._flags.find_covered_and_lifted(connection, numbers)[0]

    def look_up(self, numbers: Collection[str], records: Iterable[Key]) -> OptOuts:
        """Return which of the numbers are covered or lifted, and what became of the flags of these records."""
        with self._store.transaction() as connection:
            covered, lifted = self._flags.find_covered_and_lifted(connection, numbers)
            states = self._flags.find_states(connection, records)

        derived = [
            key for key, known in states.items() if FlagState.RAISED not in known and not known.isdisjoint(DERIVED)
        ]
        released = [key for key, known in states.items() if known.isdisjoint(UP)]
        return OptOuts(covered, lifted, frozenset(released), frozenset(derived))

    def bearers(self, numbers: Collection[str]) -> dict[str, Key]:
        """Return for each covered number one record whose flag covers it."""
        with self._store.transaction() as connection:
            return self._flags.find_bearers(connection, numbers)

    def count_holders(self, numbers: Collection[str]) -> dict[str, int]:
        """Return number -> how many records hold it."""
        with self._store.transaction() as connection:
            return self._holdings.count_holders(connection, numbers)

    def count_records(self, object_name: str) -> int:
        """Return how many records of the object are known to hold a number."""
        with self._store.transaction() as connection:
            return self._holdings.count_records(connection, object_name)

    def begin_full_read(self, objects: Iterable[str]) -> None:
        """Note from now on which records of these objects are seen, for :meth:`forget_unseen`."""
        with self._store.transaction() as connection:
            self._holdings.begin_full_read(connection, objects)

    def forget_unseen(self, object_name: str) -> None:
        """Forget what records of the object hold that this run, which has read all of them, has not seen.

        Where all were read in this very run (:meth:`begin_full_read`), they hold nothing any more, and flags that
        ringfence had raised on them are gone. What somebody asked for stays: absence lifts nothing.
        """
        with self._store.transaction() as connection:
            self._heritage.forget_unseen(connection, object_name)
            self._merged.forget_unseen(connection, object_name)
            self._holdings.forget_unseen(connection, object_name)

    def holders(self, number: str, limit: int) -> list[Key]:
        """Return records that hold the number, at most ``limit`` of them."""
        with self._store.transaction() as connection:
            return self._holdings.find_holders(connection, number, limit)

    def forget_holders(self, records: Iterable[Key]) -> None:
        """Record that these records are gone and hold nothing; what somebody asked for on them stays."""
        gone = list(records)
        with self._store.transaction() as connection:
            self._holdings.forget(connection, gone)
            self._heritage.forget_own(connection, gone)

    def unflagged_holders(self, *, all_runs: bool) -> dict[Key, int]:
        """Return the records that hold covered numbers and no known flag of their own, with how many such numbers each.

        Without ``all_runs`` only numbers count whose opt-out has not yet reached every holder
        (:meth:`mark_propagated`).
        """
        counts: Counter[Key] = Counter()
        # Step by step: as one statement, SQLite goes through what every record holds to find the few.
        with self._store.transaction() as connection:
            for keys in self._flags.list_covered_keys(connection, all_runs=all_runs):
                holders = list(self._holdings.find_holders_by_key(connection, keys))
                states = self._flags.find_states(connection, holders)
                counts.update(holder for holder in holders if states.get(holder, set()).isdisjoint(UP))
        return dict(counts)

    def hand_over(self, records: Iterable[Key]) -> None:
        """Record that these records were merged away or deleted, and that others have to take over their opt-outs.

        Nobody can lower their flags any more. So the flags are forgotten once others have taken the opt-out over
        (:meth:`mark_propagated`), in this run or a later one. Where nobody has, they stay and the number stays covered.
        """
        gone = list(records)
        with self._store.transaction() as connection:
            self._merged.add(connection, gone)
            self._holdings.forget(connection, gone)

    def handed_over(self, records: Sequence[Key]) -> set[Key]:
        """Return those of the records that are gone whose opt-out was handed over before.

        It is handed over once only, so that a person may lift it afterwards.
        """
        with self._store.transaction() as connection:
            found = self._merged.find_handed_over(connection, records)
            self._merged.add(connection, found)
        return found

    def handing_over(self) -> list[Key]:
        """Return the records that are gone, and whose opt-outs are still to be handed over."""
        with self._store.transaction() as connection:
            gone = self._merged.list_handing_over(connection)
            states = self._flags.find_states(connection, gone)
        # The flag of one that covers nothing was ringfence's own: it ends with its record.
        return [key for key in gone if key not in states or not states[key].isdisjoint(COVERING)]

    def name_heirs(self, records: Iterable[Key]) -> None:
        """Record that records which asked for silence were merged into these: their flags count as people's own."""
        self._heirs = set(records)
        with self._store.transaction() as connection:
            self._heritage.adopt(connection, self._heirs)

    def mark_propagated(self) -> None:
        """Record that every holder of every covered number has been dealt with.

        Until then a run that ends early (killed, a limit, an outage) leaves the rest to the next one.
        """
        with self._store.transaction() as connection:
            self._heritage.pass_on(connection, self._merged.list_handing_over(connection))
            self._flags.mark_propagated(connection)
            self._merged.mark_handed_over(connection)

    def read_opt_out_fields(self) -> dict[str, KnownFlag]:
        """Return object name -> the opt-out field that its flags were read from, where that is on record."""
        with self._store.transaction() as connection:
            return self._fields.read(connection)

    def keep_opt_out_fields(self, flags: dict[str, OptOutFlag]) -> None:
        """Record from which fields flags are read from now on, by object name."""
        with self._store.transaction() as connection:
            self._fields.keep(connection, flags)

    def count_flagged(self) -> dict[str, int]:
        """Return object name -> how many records of it are known to have their flag up, for those with any."""
        with self._store.transaction() as connection:
            return self._fields.count_flagged(connection)

    def list_stale(self) -> list[Key]:
        """Return the records whose flag ringfence raised, and that no opt-out calls for any longer."""
        with self._store.transaction() as connection:
            return self._heritage.list_stale(connection)

    def _enqueue_holders(self, connection: Connection, freed: Collection[bytes]) -> None:
        """Let the holders of those numbers wait that no flag covers any more."""
        for keys in in_batches(list(freed)):
            covered = self._flags.find_covered_keys(connection, keys)
            free = [key for key in keys if key not in covered]
            holders = set(self._holdings.find_holders_by_key(connection, free))
            enqueue_holders(connection, self._org_id, self._run_id, sorted(holders), self._clock.now())
