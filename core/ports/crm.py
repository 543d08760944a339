"""The contract of a CRM connector, in three parts: reading, writing and setting up.

Connectors return typed values (bool, aware datetime, plain str), give cursors that the core only stores and hands
back, and count their HTTP requests. They hold no rule: which record is due and what it should say is decided in the
core. Every method may raise the errors of :mod:`ringfence.core.errors` and no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel

from ..model.shapes import ObjectShape
from ..model.values import Change, Companion, Record, RowResult
from .bulk import BulkJobs
from .own_writes import OwnWrites, no_own_writes
from .service_address import ServiceAddress
from .services import Services
from .setup_steps import Removal, SetupStep
from .survey import Survey


@dataclass(frozen=True, slots=True)
class Org:
    """The CRM account behind the credentials. ``id`` keys everything kept about it.

    ``address`` is where a person finds its records in a browser, as :attr:`CrmPlugin.link` takes it; empty where that
    is not known.
    """

    crm: str
    id: str
    name: str
    production: bool
    address: str = ""

    @property
    def key(self) -> str:
        """Return the name under which the state keeps this org apart from every other."""
        return f"{self.crm}:{self.id}"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a CRM can do: the core asks this, and never which CRM it is."""

    write_batch: int  # changes that one call of write() handles at best
    threads: bool = False  # whether reads and writes may go on in threads beside each other
    worth_a_part: int = 1  # records below which a part of their own saves no time: few calls read and write them


class Level(StrEnum):
    """How much a finding matters. A problem keeps a sync from running; a warning does not.

    Unknown is what nobody can tell before a sync has tried it.
    """

    OK = "ok"
    WARNING = "warning"
    UNKNOWN = "unknown"
    PROBLEM = "problem"


class Depth(StrEnum):
    """What a preflight is for, and so how much it asks."""

    PREVIEW = "preview"  # a dry run: nothing is asked that only a write needs
    SYNC = "sync"  # a run that writes
    DOCTOR = "doctor"  # a person who wants to know: all that can be told, at a few calls more


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of a preflight: what was looked at, what was found, what to do about it.

    ``in_preview`` is what a dry run says of a problem that does not stop it, such as a field that a set-up creates;
    empty where the problem stops a dry run too.
    """

    level: Level
    subject: str
    message: str
    remedy: str = ""
    error: type[Exception] | None = None  # what a sync raises for it; problems only
    in_preview: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some records of one object, and the cursor to store once every one of them has an outcome.

    ``cursor`` is None for reads that do not move the cursor. ``authoritative`` is False where the values come from an
    index that may lag: the core then fetches the due records again before it pays or writes. ``total`` is how many
    records the whole read holds, where the CRM says so. ``gone`` marks records that were merged away, deleted or
    converted: their opt-outs pass to whoever holds their numbers. A record may come several times, with other numbers.
    """

    object: str
    records: Sequence[Record]
    cursor: str | None = None
    authoritative: bool = True
    total: int | None = None
    gone: bool = False


class Feed(Protocol):
    """The reads of one run.

    The watermark is taken from the CRM when the feed is opened. It bounds how far the cursors move, not what is read:
    records that changed later are read and handled too where the CRM shows them, and come again in the next run,
    because the cursors stay behind the watermark. So an edit right before or during a run waits for no other run, and
    a row that becomes visible late is still found.
    """

    def is_full(self, object_name: str) -> bool:
        """Return whether changed() reads every record of the object (no cursor yet, or an unfinished full read)."""
        ...

    def flagged(self) -> Iterator[Page]:
        """Yield the records that matter for opt-outs, over all objects and regardless of the mapping's filter.

        For a full read: every record whose flag is up. Otherwise: those among the changed records whose flag is up, or
        is down while the status of a slot is still ``do_not_contact``.
        """
        ...

    def flagged_meanwhile(self) -> Iterator[Page]:
        """Yield those records of the objects read in full that changed since the watermark and whose flag is up.

        Asked once changed() has ended: a flag that goes up behind the place where a long read is would not be seen.
        """
        ...

    def screened(self, since: datetime) -> Iterator[Page]:
        """Yield the records with a slot screened at or after ``since``, so that their verdicts can be reused."""
        ...

    def changed(self) -> Iterator[Page]:
        """Yield the changed records of all objects, in or out of the filter; all records of an object without a cursor.

        Records that are gone, of which the CRM tells only through the record that survived, come before it.
        Every object gives at least one page, whose cursor is stored even when the page is empty.
        """
        ...

    def due(self, before: datetime) -> Iterator[Page]:
        """Yield the records in the filter with a filled slot never screened or last screened before ``before``.

        Objects that are read in full give none.
        """
        ...


class CrmReader(Protocol):
    """Reads records of one CRM account."""

    def open_feed(self, cursors: Mapping[str, str | None], own_writes: OwnWrites = no_own_writes) -> Feed:
        """Take the watermark now and return the reads of this run; ``cursors`` is object name -> cursor.

        None as a cursor asks for a full read. A CRM that would show our own writes over and over uses ``own_writes``.
        """
        ...

    def fetch(self, object_name: str, ids: Sequence[str]) -> list[Record]:
        """Return the present, authoritative state of these records, any number of them.

        Deleted records are left out; a merged record comes back under the id of its survivor. ``in_scope`` is as in
        the feed.
        """
        ...


class CrmWriter(Protocol):
    """Writes changes to records of one CRM account."""

    capabilities: Capabilities

    @property
    def bulk(self) -> BulkJobs | None:
        """Return the way to write by jobs, or None where the CRM has none."""
        ...

    def write(self, changes: Sequence[Change]) -> list[RowResult]:
        """Write the changes, any number of them, in the best batches; return one result for each, in their order.

        A row counts as written only when the CRM's answer says so for that row.
        """
        ...


class CrmSetup(Protocol):
    """Compares one CRM account with its mapping, and creates what the mapping needs."""

    def check(self, depth: Depth = Depth.SYNC) -> list[Finding]:
        """Compare the mapping with what the account has and allows. Changes nothing.

        Afterwards the account is read without the fields that it lacks and a set-up creates: they count as empty.
        """
        ...

    def survey(self) -> Survey:
        """Count what a sync that reads everything would meet, at few calls. Changes nothing; call it after check().

        What the account does not tell is left out: it raises nothing but what ends every call, such as a quota.
        """
        ...

    def plan_setup(self) -> list[SetupStep]:
        """Return what is missing, in the order in which it has to be created; empty when all is there."""
        ...

    def setup_remarks(self) -> list[str]:
        """Return sentences about what is there and differs from what setup would create today. Follows plan_setup()."""
        ...

    def apply_setup(self, steps: Iterable[SetupStep]) -> Iterator[SetupStep]:
        """Create the steps, yielding each when it is done; one that is refused by itself carries the CRM's words."""
        ...

    def plan_removal(self, *, opt_outs: bool = False) -> Removal:
        """Return what setup surely made and is still there; fields with people's opt-outs go only with ``opt_outs``."""
        ...

    def apply_removal(self, steps: Iterable[SetupStep]) -> Iterator[SetupStep]:
        """Take the steps away, yielding each one when it is gone, as :meth:`apply_setup` does."""
        ...


@runtime_checkable
class Learning(Protocol):
    """What a connector may also be: one that finds out about an account what its next run should know.

    ``learnt`` holds that by names of the connector's own. The core fills it before a run, keeps it after one, and reads
    nothing of it. What is in it may get lost at any time.
    """

    learnt: dict[str, str]


class Crm(CrmReader, CrmWriter, CrmSetup, Protocol):
    """One CRM account, constructed with the shapes of its mapping; see :class:`CrmPlugin`."""

    name: str

    @property
    def calls(self) -> Mapping[str, int]:
        """Return HTTP requests made so far by purpose: login, describe, opt_outs, read, write, setup."""
        ...

    def fewest_calls(self, read: int, written: int, *, full: bool) -> int:
        """Return the fewest HTTP requests that could read so many records and write some.

        ``full`` tells whether all records are read or the changed ones.
        """
        ...

    def identify(self) -> Org:
        """Log in and return the account."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


@dataclass(frozen=True, slots=True)
class CrmPlugin:
    """What a CRM connector registers under the entry-point group ``ringfence.crms``.

    ``settings`` becomes the nested settings ``RINGFENCE_<NAME>__*``; ``configured`` tells whether enough of them are
    set; ``companion_name`` gives the field name of a slot's companion; ``connect`` wires the connector without
    making a call. ``link`` gives the address of a record's page, of the org's address, object name and record id.
    ``project`` returns all that setup creates as a project to deploy, with what the CRM needs to call the service at
    that address, file name -> text; it needs no credentials, and names are relative, with slashes. ``record_id``
    returns a record's id as the CRM's API gives it, of the ways in which a person may write it; None for a text that
    is no id.
    """

    name: str
    settings: type[BaseModel]
    configured: Callable[[Any], bool]
    companion_name: Callable[[str, Companion], str]
    connect: Callable[[Any, Mapping[str, ObjectShape], Services], Crm]
    project: Callable[[Any, Mapping[str, ObjectShape], ServiceAddress], Mapping[str, str]]
    link: Callable[[str, str, str], str] = lambda _address, _object_name, _record_id: ""
    record_id: Callable[[str], str | None] = lambda text: text.strip() or None
