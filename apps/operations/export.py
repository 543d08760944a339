"""Lists of numbers for diallers and marketing tools, read from the CRMs as they are now."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from ringfence.connectors.spreadsheet.list_file import ListWriter, open_list
from ringfence.core.decisions.exports import ExportList
from ringfence.core.errors import FileError
from ringfence.core.evidence.history import NumberHistory
from ringfence.core.model.blocks import Block, Channel
from ringfence.core.ports.crm import Depth
from ringfence.core.runs.export import AccountExport, ExportJob
from ringfence.core.runs.export_spool import ExportRow, Spool
from ringfence.core.runs.quiet_rows import QuietRows
from ringfence.core.state.audit import Act, AuditAction, AuditLog
from ringfence.core.state.pseudonyms import Pseudonyms
from ringfence.core.state.store import Store
from ringfence.core.suppression.expired_lists import ExpiredLists
from ringfence.core.suppression.question import SuppressionQuestion

from ..config_files import find_evidence_rules
from ..pages.new_file import new_file, refuse_existing
from ..wiring import Connection, Wiring
from .door import Door, DoorProgress
from .preflight import require_ready
from .sources import Source, choose_accounts, of_one_kind, open_sources

EXCEL = ".xlsx"

_OF_EVERY_LIST = ExportRow._fields.index("segment")
"""Columns of every list."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What is wanted: the list, for the channel and the purpose asked.

    A purpose narrows the lists ``callable`` and ``quiet``.

    ``pseudonymise`` puts pseudonyms in the place of numbers. ``sandbox`` takes the sandbox accounts where no account is
    named. ``force`` writes over a file that is there. ``allow_expired_lists``: a do-not-call list may be too old.
    """

    wanted: ExportList
    channel: Channel = Channel.VOICE
    purpose: str | None = None
    pseudonymise: bool = False
    sandbox: bool = False
    force: bool = False
    allow_expired_lists: bool = False


@dataclass(frozen=True, slots=True)
class WrittenList:
    """What was written: rows, out of so many records of these accounts, and the filled slots left out by reason."""

    accounts: Sequence[str]
    records: int
    rows: int
    left_out: Counter[str]
    duration_s: float
    expired_lists: Sequence[str] = ()


def export_list(
    wiring: Wiring, crm: str | None, target: Path, options: ExportOptions, door: Door, *, mapping: Path | None = None
) -> WrittenList:
    """Write a list of numbers into a new file, whole or not at all, and return what it holds.

    ``crm`` names the account; None: all that are configured, production accounts or, where there are none, sandboxes.
    A target that ends in .xlsx becomes an Excel workbook, any other a CSV. Raises FileError for the target, UsageError
    where no account is there to read, the errors of the wiring and of the preflight, and what the CRM raises.
    """
    refuse_existing(target, force=options.force)
    if not target.parent.is_dir():
        raise FileError(f"The folder {target.parent} does not exist.", "Create it, or choose another place.")
    names = choose_accounts(wiring, crm, mapping)
    started = wiring.clock.monotonic()

    with ExitStack() as closed, closing(wiring.open_state()) as store, Spool(target.parent) as spool:
        sources = open_sources(wiring, names, mapping, closed)
        if crm is None:
            sources = of_one_kind(sources, sandbox=options.sandbox)
        with door.progress(f"export {options.wanted}") as progress:
            exports = _read(sources, store, spool, options, door, progress)
            with (
                new_file(target, force=options.force) as file,
                open_list(file, _columns(options), excel=target.suffix.lower() == EXCEL) as writer,
            ):
                rows = _write(exports, spool, writer, _dress(store, options), len(_columns(options)))
                # Before the file gets its name: no list is about that the log does not know of.
                _log(wiring, store, door.author, f"{target.name}, {rows:,} rows of {', '.join(exports)}", options)

    left_out = sum((each.left_out for each in exports.values()), Counter[str]())
    records = sum(each.records for each in exports.values())
    return WrittenList(list(exports), records, rows, left_out, wiring.clock.monotonic() - started, _expired(exports))


def _expired(exports: Mapping[str, AccountExport]) -> list[str]:
    return sorted({name for each in exports.values() for name in each.expired_lists})


def _read(
    sources: Sequence[Source],
    store: Store,
    spool: Spool,
    options: ExportOptions,
    door: Door,
    progress: DoorProgress,
) -> dict[str, AccountExport]:
    """Read the accounts in turn, and return what each of them is by its name."""
    heard: defaultdict[str, dict[str, list[Block]]] = defaultdict(dict)
    exports: dict[str, AccountExport] = {}
    expired: dict[str, ExpiredLists] = {}
    for source in sources:
        crm, name = source.connection.crm, source.connection.account
        findings = crm.check(Depth.PREVIEW)
        require_ready([each for each in findings if not each.in_preview], name)
        _warn_of_no_consent(source.connection, options, door)

        ledger, clock = source.wiring.settings.ledger or "", source.wiring.clock
        rules = find_evidence_rules(source.wiring.settings.mappings)
        question = SuppressionQuestion(store, ledger, clock, production=source.org.production)
        job = ExportJob(
            crm=crm,
            org=source.org,
            shapes=source.connection.shapes,
            store=store,
            clock=clock,
            account=name,
            question=question,
            heard=heard[ledger],
            wanted=options.wanted,
            channel=options.channel,
            purpose=options.purpose,
            quiet=QuietRows(NumberHistory(store, ledger, rules, rules.lapsed_after), rules, clock),
            expired=expired.setdefault(ledger, question.find_expired_lists(allowed=options.allow_expired_lists)),
            progress=progress,
            must_end=door.must_end,
        )
        exports[name] = AccountExport(job)
        exports[name].read(spool)
    return exports


def _warn_of_no_consent(connection: Connection, options: ExportOptions, door: Door) -> None:
    """Say of which objects nothing is on the list, because their mapping reads no consent."""
    unread = [name for name, shape in connection.shapes.items() if shape.consent is None]
    if options.purpose is not None and options.wanted in (ExportList.CALLABLE, ExportList.QUIET) and unread:
        door.warn(
            f"{connection.account}: the mapping reads no consent on {', '.join(unread)}, so that none covers "
            f"{options.purpose!r}."
        )


def _columns(options: ExportOptions) -> Sequence[str]:
    """Return the columns of the list: those behind the ninth are of quiet numbers alone."""
    return ExportRow._fields if options.wanted is ExportList.QUIET else ExportRow._fields[:_OF_EVERY_LIST]


def _write(
    exports: Mapping[str, AccountExport],
    spool: Spool,
    writer: ListWriter,
    dress: Callable[[ExportRow], ExportRow],
    width: int,
) -> int:
    """Write what may still stand on the list, and return how many rows that is."""
    written = 0
    for rows in spool.pages():
        # A page is of one account and of one object.
        kept = exports[rows[0].row.crm].check_again(rows)
        writer.write(dress(row)[:width] for row in kept)
        written += len(kept)
    return written


def _log(wiring: Wiring, store: Store, author: str, subject: str, options: ExportOptions) -> None:
    told = [f"{options.wanted} numbers", f"channel {options.channel}"]
    told += [f"purpose {options.purpose}"] if options.purpose is not None else []
    told += ["pseudonyms"] if options.pseudonymise else []
    act = Act(wiring.clock.now(), author, AuditAction.EXPORT, subject, ", ".join(told))
    with store.transaction() as connection:
        AuditLog(store.keyring).append(connection, act)


def _dress(store: Store, options: ExportOptions) -> Callable[[ExportRow], ExportRow]:
    """Return how a row looks in the file: with its number, or with a pseudonym and nothing that tells digits."""
    if not options.pseudonymise:
        return lambda row: row
    pseudonyms = Pseudonyms(store.keyring)

    def hide(row: ExportRow) -> ExportRow:
        number = pseudonyms.of(row.number) if row.number else ""
        return row._replace(number=number, reason=row.reason.partition(":")[0])

    return hide
