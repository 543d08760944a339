"""The opt-out ledger: who holds which number, and which numbers are covered by whose opt-out flag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from sqlalchemy import Connection

from ..model.blocks import SMS_ALONE, Block, Channel
from ..model.consent import Consent
from ..model.opt_outs import OptOuts
from ..model.shapes import ObjectShape, OptOutFlag
from ..ports.services import Clock
from .consents import Consents
from .cover_union import CoverUnion
from .flag_heritage import FlagHeritage
from .flag_origins import settle_flags
from .flag_reviews import OpenReviews
from .flag_states import COVERING, describe_flags, is_up
from .holdings import Holding, Holdings, Key, Raised
from .merged_records import MergedRecords
from .opt_out_fields import KnownFlag, OptOutFields
from .opt_out_flags import OptOutFlags
from .pending import enqueue_holders
from .sql import in_batches
from .store import Store
from .wrong_persons import WrongPersons


class OptOutLedger:
    """The opt-out ledger of one org, as one run reads and extends it. A record is named by (object, record id).

    A flag that somebody raised covers its record's numbers wherever they stand; one that ringfence raised silences its
    own record and covers nothing. What lies elsewhere covers them in the same way: flags in other accounts of the
    suppression ledger, and its entries. Each method is one transaction. ``account`` is what commands call the org.
    """

    def __init__(self, store: Store, org_id: int, run_id: str, clock: Clock, account: str = "") -> None:
        self._store = store
        self._clock = clock
        self._org_id = org_id
        self._run_id = run_id
        self._holdings = Holdings(store.keyring, org_id)
        self._consents = Consents(org_id)
        self._flags = OptOutFlags(store.keyring, org_id, run_id)
        self._union = CoverUnion(store.keyring, org_id, self._flags, self._holdings)
        self._heritage = FlagHeritage(org_id, run_id)
        self._merged = MergedRecords(org_id, run_id)
        self._fields = OptOutFields(org_id)
        self._reviews = OpenReviews(store.keyring, org_id)
        self._wrong = WrongPersons(store.keyring, org_id, account)
        self._heirs: set[Key] = set()
        self._kept: set[Key] = set()

    def settle_flags(self, flag_fields: Mapping[str, AbstractSet[str]]) -> None:
        """Find out whose flags those are that an earlier version kept; ``flag_fields`` is object -> opt-out fields."""
        settle_flags(self._store, self._org_id, flag_fields)

    def settle_consents(self, shapes: Mapping[str, ObjectShape]) -> None:
        """Forget what records said of consent where the mapping reads none any more."""
        with self._store.transaction() as connection:
            self._consents.forget_unread(connection, shapes)

    def record(self, holdings: Sequence[Holding]) -> None:
        """Record what records, which are there, hold and whether their flag is up.

        A number once covered by a record's flag stays covered until that record is seen with its flag down, also when
        the record's number was changed meanwhile: permission only tightens on its own. When the last flag on a number
        goes, every record that holds the number waits to be looked at again, for its slots may be callable again.
        """
        with self._store.transaction() as connection:
            known = self._holdings.replace(connection, holdings)
            told = [each for each in holdings if each.flagged is False or (each.flagged and len(each.mapped) > 1)]
            freed, kept = self._flags.take_down(connection, told)
            if kept:
                self._keep_up(connection, [each for each in told if each[:2] in kept], kept)
            # Only where the state is lost do the slots tell whose flag it is: a flag of ringfence's would be known.
            raised = [each for each in holdings if each.flagged]
            self._flags.set_up(connection, [each.unsaid() if each[:2] in known else each for each in raised])
            self._enqueue_holders(connection, freed)

    def record_consents(self, told: Mapping[Key, Consent], withdrawn: Sequence[Holding], given: Iterable[Key]) -> None:
        """Record what these records say of consent: who withdrew it, from which numbers, and who gives it for certain.

        The names of the latter two are those of :func:`ringfence.core.state.flag_states.consent_of`. Only consent that
        is given lifts a withdrawal: neither an emptied field nor a record that is gone says that somebody may be called
        again.
        """
        ended = [Holding(*key, (), flagged=False) for key in given]
        if not (told or withdrawn or ended):
            return
        with self._store.transaction() as connection:
            if told:
                self._consents.replace(connection, told)
            freed = self._flags.take_down(connection, ended).freed
            self._flags.set_up(connection, withdrawn)
            self._enqueue_holders(connection, freed)

    def raise_flags(self, records: Sequence[Raised]) -> None:
        """Record that ringfence has raised flags of these records."""
        if not records:
            return
        with self._store.transaction() as connection:
            self._flags.set_up_own(connection, records, self._heirs)
            if again := self._kept.intersection(each[:2] for each in records):
                self._reviews.note_raised(connection, again)

    def take_in_elsewhere(self) -> None:
        """Take in what covers this org's numbers from elsewhere by now: other accounts' flags, and entries.

        Whom that reaches is found by :meth:`unflagged_holders`. Where it has ended, every record that holds the number
        waits to be looked at again; so does a record whose number was said to be somebody else's, or is so no longer.
        """
        now = self._clock.now()
        with self._store.transaction() as connection:
            self._enqueue_holders(connection, self._union.take_in(connection, now))
            enqueue_holders(connection, self._org_id, self._run_id, self._wrong.take_in(connection, now), now)

    def covered(self, numbers: Collection[str]) -> frozenset[str]:
        """Return those numbers that an opt-out covers, here or elsewhere."""
        with self._store.transaction() as connection:
            return self._union.find(connection, numbers, self._clock.now()).covered

    def find_suppressed(self, numbers: Collection[str]) -> Mapping[str, Block | None]:
        """Return what covers each of the numbers that an opt-out covers; None stands for a flag of this org."""
        with self._store.transaction() as connection:
            covers = self._union.find(connection, numbers, self._clock.now())
        # Messages alone: where the mapping has no flag for them, the slot is silent before anybody asks for its number.
        asked = covers.covered.difference(each for each, ways in covers.channels.items() if ways == SMS_ALONE)
        return {number: covers.elsewhere.get(number) for number in asked}

    def look_up(self, numbers: Collection[str], records: Iterable[Key]) -> OptOuts:
        """Return which of the numbers are covered or lifted, and what became of the flags of these records."""
        now = self._clock.now()
        with self._store.transaction() as connection:
            covers = self._union.find(connection, numbers, now)
            states = self._flags.find_by_channel(connection, records)
            wrong_persons, righted = self._wrong.find(connection, numbers, now)
        return describe_flags(states)._replace(**covers._asdict(), wrong_persons=wrong_persons, righted=righted)

    def bearers(self, numbers: Collection[str]) -> dict[str, Key | None]:
        """Return for each covered number one record whose flag covers it.

        None stands for what lies elsewhere: no record of this org is needed to confirm it.
        """
        with self._store.transaction() as connection:
            confirmed = self._union.find_confirmed(connection, numbers, self._clock.now())
            return {
                **self._flags.find_bearers(connection, set(numbers) - confirmed),
                **dict.fromkeys(confirmed),
            }

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
            self._consents.forget_unheld(connection, object_name)

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
            self._consents.forget(connection, gone)

    def unflagged_holders(self, *, all_runs: bool) -> dict[Key, int]:
        """Return the records that hold covered numbers and no known flag of their own, with how many such numbers each.

        Without ``all_runs`` only numbers count whose opt-out has not yet reached every holder
        (:meth:`mark_propagated`).
        """
        counts: Counter[Key] = Counter()
        # Step by step: as one statement, SQLite goes through what every record holds to find the few.
        with self._store.transaction() as connection:
            for keys in self._union.list_keys(connection, all_runs=all_runs):
                holders = list(self._holdings.find_holders_by_key(connection, keys))
                flagged = is_up(self._flags.find_by_channel(connection, holders))
                counts.update(holder for holder in holders if holder not in flagged)
        return dict(counts)

    def find_unflagged(self, records: Sequence[Key]) -> list[Key]:
        """Return those of the records whose flag is not known to be up."""
        with self._store.transaction() as connection:
            flagged = is_up(self._flags.find_by_channel(connection, records))
        return [key for key in records if key not in flagged]

    def hand_over(self, records: Iterable[Key]) -> None:
        """Record that these records were merged away or deleted, and that others have to take over their opt-outs.

        Nobody can lower their flags any more. So the flags are forgotten once others have taken the opt-out over
        (:meth:`mark_propagated`), in this run or a later one. Where nobody has, they stay and the number stays covered.
        """
        gone = list(records)
        with self._store.transaction() as connection:
            self._merged.add(connection, gone)
            self._holdings.forget(connection, gone)
            self._consents.forget(connection, gone)

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
        self._heirs = set(records) | self._kept
        with self._store.transaction() as connection:
            self._heritage.adopt(connection, self._heirs)

    def mark_propagated(self) -> None:
        """Record that every holder of every covered number has been dealt with.

        Until then a run that ends early (killed, a limit, an outage) leaves the rest to the next one.
        """
        with self._store.transaction() as connection:
            self._heritage.pass_on(connection, self._merged.list_handing_over(connection))
            self._union.mark_propagated(connection)
            self._merged.mark_handed_over(connection)

    def read_opt_out_fields(self) -> dict[str, list[KnownFlag]]:
        """Return object name -> the opt-out fields that its flags were read from, where that is on record."""
        with self._store.transaction() as connection:
            return self._fields.read(connection)

    def keep_opt_out_fields(self, flags: Mapping[str, Sequence[OptOutFlag]]) -> None:
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

    def keep(self, records: Iterable[Key]) -> None:
        """Take in that flags which somebody has cleared go up again on these records, and stay that person's own."""
        self._kept.update(records)
        self._heirs |= self._kept

    def _keep_up(
        self, connection: Connection, holdings: Iterable[Holding], kept: Mapping[Key, AbstractSet[Channel]]
    ) -> None:
        """Let a person decide what it meant that flags of these records were cleared; until then they go up again."""
        now = self._clock.now()
        self._reviews.ask_about_cleared(connection, holdings, kept, now)
        enqueue_holders(connection, self._org_id, self._run_id, sorted(kept), now)

    def _enqueue_holders(self, connection: Connection, freed: Collection[bytes]) -> None:
        """Let the holders of those numbers wait that no flag covers any more."""
        for keys in in_batches(list(freed)):
            covered = self._flags.find_covered_keys(connection, keys, every_way=True)
            free = [key for key in keys if key not in covered]
            holders = set(self._holdings.find_holders_by_key(connection, free))
            enqueue_holders(connection, self._org_id, self._run_id, sorted(holders), self._clock.now())
