"""An account that is gone, forgotten: its history, its cursors, and what is known of its opt-outs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Table, delete, select

from ..errors import UsageError
from ..ports.services import Clock
from . import schema
from .blocks_elsewhere import BlocksElsewhere
from .deleting import count_rows, delete_journals, delete_rows, delete_some_rows, give_back_space
from .flag_states import COVERING
from .leases import take_lease, this_process
from .lookup_cache import crm_realm
from .sql import BATCH, in_batches
from .store import Store


class KnownAccount(NamedTuple):
    """An account that the state knows: ``key`` is its CRM and its id there, ``org_id`` the state's own id."""

    org_id: int
    key: str
    name: str
    production: bool

    @property
    def text(self) -> str:
        """Return the account as a person knows it."""
        return f"{self.key} ({self.name}, {'production' if self.production else 'sandbox'})"


class OptOutLoss(NamedTuple):
    """Numbers that flags of an account cover, and those of them that nothing else on its ledger covers."""

    covered: int
    only_here: int


def find_account(store: Store, wanted: str) -> KnownAccount:
    """Return the account with this key, id in its CRM or name there, or by the name that its runs have had.

    Raises UsageError, which names all, where none is, or several are.
    """
    known = list_accounts(store)
    text = wanted.strip().casefold()
    called = _list_names_of_runs(store)
    for spellings in (
        [{one.key} for one in known],
        [{one.key.partition(":")[2]} for one in known],
        [{one.name} for one in known],
        [called[one.org_id] for one in known],
    ):
        found = [one for one, names in zip(known, spellings, strict=True) if text in map(str.casefold, names)]
        if len(found) == 1:
            return found[0]

    there = "; ".join(one.text for one in known) or "none"
    raise UsageError(f"{wanted!r} is no account that the state knows. It knows: {there}.", "Name one by its id.")


def list_accounts(store: Store) -> Sequence[KnownAccount]:
    """Return the accounts that the state knows, those that came first in front."""
    table = schema.orgs
    query = select(table.c.id, table.c.key, table.c.name, table.c.production).order_by(table.c.id)
    with store.transaction() as connection:
        return [KnownAccount(*row) for row in connection.execute(query)]


def count_loss(store: Store, account: KnownAccount, now: datetime) -> OptOutLoss:
    """Return how many numbers are covered by flags of the account, which cover nothing once it is forgotten.

    What covers them besides at the moment ``now`` (UTC) is asked as a sync of the account would: the flags of its kind
    of account on its ledger, entries and lists.
    """
    flags = schema.opt_out_flags
    covering = (flags.c.org_id == account.org_id, flags.c.state.in_(COVERING))
    query = select(flags.c.number_key).distinct().where(*covering).execution_options(yield_per=BATCH)
    elsewhere = BlocksElsewhere(store.keyring, account.org_id)

    covered = only_here = 0
    with store.transaction() as connection:
        for some in connection.execute(query).scalars().partitions():
            keys = list(map(bytes, some))
            covered += len(keys)
            only_here += len(keys) - len(elsewhere.find_keys(connection, keys, now))
    return OptOutLoss(covered, only_here)


def forget_account(store: Store, account: KnownAccount, this_run: str, clock: Clock) -> Counter[str]:
    """Forget everything of the account and return how many rows are gone by table.

    What a provider was paid for stays: it is about numbers, and serves every account. Cursors go first and flags last,
    so that a call which is cut off leaves an account that is read anew and whose opt-outs still count. Raises BusyError
    while a run is at it.
    """
    lease = take_lease(store, account.org_id, this_run, clock.now(), this_process())
    gone: Counter[str] = Counter()
    try:
        runs, answers = schema.runs, schema.lookup_answers
        gone["cursors"] = _delete_all(store, account, "cursors")
        gone["pending"] = _delete_all(store, account, "pending")
        wakes = schema.wakes
        gone["wakes"] = delete_rows(store, wakes, wakes.c.record_id, _is_named_as(wakes, store, account))
        notices = schema.notices
        gone["notices"] = delete_rows(store, notices, notices.c.digest, _is_named_as(notices, store, account))
        places = schema.journal_places
        gone["journal_places"] = delete_rows(store, places, places.c.account, _is_named_as(places, store, account))
        for some in in_batches(_list_runs(store, account)):
            gone["batches"] += delete_journals(store, some)
        parts = schema.run_parts
        own = select(runs.c.id).where(runs.c.org_id == account.org_id)
        gone["run_parts"] = delete_rows(store, parts, parts.c.run_id, parts.c.run_id.in_(own))
        gone["runs"] = delete_rows(store, runs, runs.c.id, runs.c.org_id == account.org_id)
        of_its_own = answers.c.realm == crm_realm(account.key)
        gone["lookup_answers"] = delete_some_rows(store, answers, answers.c.number_key, (), (of_its_own,))
        learnt = schema.learnt
        gone["learnt"] = delete_rows(store, learnt, learnt.c.name, learnt.c.org_id == account.org_id)
        met = schema.countries_met
        gone["countries_met"] = delete_rows(store, met, met.c.country, met.c.org_id == account.org_id)
        taken_in = schema.lists_taken_in
        ours = taken_in.c.org_id == account.org_id
        gone["lists_taken_in"] = delete_rows(store, taken_in, taken_in.c.org_id, ours)
        reviews = schema.review_items
        gone["review_items"] = delete_rows(store, reviews, reviews.c.id, reviews.c.org_id == account.org_id)
        read = schema.signs_read
        gone["signs_read"] = delete_rows(store, read, read.c.org_id, read.c.org_id == account.org_id)
        asked = schema.executions
        gone["executions"] = delete_rows(store, asked, asked.c.id, asked.c.org_id == account.org_id)
        for name in ("consents", "covered_elsewhere", "holdings", "merged_records", "opt_out_fields", "opt_out_flags"):
            gone[name] = _delete_all(store, account, name)
    finally:
        lease.release()

    with store.transaction() as connection:
        orgs = schema.orgs
        gone["orgs"] = connection.execute(delete(orgs).where(orgs.c.id == account.org_id)).rowcount
    give_back_space(store)
    return gone


def count_account(store: Store, account: KnownAccount) -> Counter[str]:
    """Return how many rows :func:`forget_account` would delete, by table."""
    runs, batches, answers = schema.runs, schema.batches, schema.lookup_answers
    own = select(runs.c.id).where(runs.c.org_id == account.org_id)
    found = Counter(
        {
            name: count_rows(store, table, table.c.org_id == account.org_id)
            for name, table in schema.metadata.tables.items()
            if "org_id" in table.c and name != "leases"
        }
    )
    found["batches"] = count_rows(store, batches, batches.c.run_id.in_(own))
    found["run_parts"] = count_rows(store, schema.run_parts, schema.run_parts.c.run_id.in_(own))
    found["lookup_answers"] = count_rows(store, answers, answers.c.realm == crm_realm(account.key))
    found["wakes"] = count_rows(store, schema.wakes, _is_named_as(schema.wakes, store, account))
    found["notices"] = count_rows(store, schema.notices, _is_named_as(schema.notices, store, account))
    places = schema.journal_places
    found["journal_places"] = count_rows(store, places, _is_named_as(places, store, account))
    found["orgs"] = 1
    return found


def _delete_all(store: Store, account: KnownAccount, name: str) -> int:
    """Delete the rows of an account from a table, an object at a time where its key begins with one."""
    table = schema.metadata.tables[name]
    ours = table.c.org_id == account.org_id
    if "number_key" in table.c:
        return delete_rows(store, table, table.c.number_key, ours)
    if "record_id" not in table.c:
        return delete_rows(store, table, table.c.object, ours)

    with store.transaction() as connection:
        objects = connection.scalars(select(table.c.object).where(ours).distinct()).all()
    return sum(delete_rows(store, table, table.c.record_id, ours, table.c.object == each) for each in objects)


def _is_named_as(table: Table, store: Store, account: KnownAccount) -> ColumnElement[bool]:
    """Return the condition for rows of the account in a table that keeps them by what its runs called it."""
    return table.c.account.in_(sorted(_list_names_of_runs(store)[account.org_id]))


def _list_names_of_runs(store: Store) -> Mapping[int, set[str]]:
    """Return all names that each account has had in its runs, by the state's own id."""
    runs = schema.runs
    query = select(runs.c.org_id, runs.c.crm).where(runs.c.org_id.is_not(None)).distinct()
    names: defaultdict[int, set[str]] = defaultdict(set)
    with store.transaction() as connection:
        for row in connection.execute(query):
            names[row.org_id].add(row.crm)
    return names


def _list_runs(store: Store, account: KnownAccount) -> Sequence[str]:
    """Return the runs of an account that have a journal."""
    runs, batches = schema.runs, schema.batches
    with_journal = select(batches.c.run_id).where(batches.c.run_id == runs.c.id).exists()
    with store.transaction() as connection:
        return connection.scalars(select(runs.c.id).where(runs.c.org_id == account.org_id, with_journal)).all()
