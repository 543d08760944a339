"""Fault injection for a Salesforce org: what each kind of fault does to its rows, jobs, sessions and answers."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta

from ringfence.core.config.spelling import did_you_mean

from ..clock import SandboxClock, SkewedClock
from ..fault_gate import PAGE, FaultGate, TemporaryValues
from ..fault_kinds import (
    DeleteRows,
    EditFault,
    EditRows,
    EqualStamps,
    MergeRows,
    RecordFault,
    Refuse,
    RefuseRows,
)
from ..fault_rules import ActiveRule, RequestFacts, choose_records
from ..faults import Faults, FaultsError
from .bulk_jobs import JobFailure
from .errors import ApiError, RowError
from .fault_kinds import (
    ConvertLeads,
    DropCursors,
    DropJobs,
    ExpireTokens,
    FailJobs,
    LateCommit,
    LockRows,
    SalesforceSettings,
    ShortPages,
    TouchRows,
)
from .limits import usage_header
from .org import SalesforceOrg
from .replication import LongTransaction
from .state import RefuseRow
from .table import Row, Value
from .values import stored_values
from .wire import Answer

WORDS = {
    400: ("QUERY_TIMEOUT", "Your query request was running for too long."),
    401: ("INVALID_SESSION_ID", "Session expired or invalid"),
    403: ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    429: ("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
    500: ("UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId if you contact support: 1-1"),
    503: ("SERVER_UNAVAILABLE", "The server is temporarily unavailable. Please try again later."),
}
"""Error code and message by status (salesforce.md, section 2.8); other statuses come from the edge, as a web page.

The wording for 403 is recorded, that for 429, 500 and 503 is unverified.
"""

log = logging.getLogger(__name__)


class SalesforceFaults(FaultGate[Answer]):
    """The faults of an org. Raises FaultsError for objects and fields that it does not have."""

    service = "salesforce"

    def __init__(self, org: SalesforceOrg, clock: SandboxClock, faults: Faults) -> None:
        super().__init__(faults)
        self.org = org
        self._held: list[tuple[int, LongTransaction]] = []

        for active in self.rules:
            self._refuse_unknown(active)

        given = faults.section(self.service, SalesforceSettings)
        if given.clock_skew_s:
            self.swaps.set(org, "clock", SkewedClock(clock, given.clock_skew_s))

        for name in given.model_fields_set - {"latency_ms", "clock_skew_s", "api_usage"}:
            self.swaps.set(org, name, getattr(given, name))

        if given.api_usage is not None:
            org.api_usage = given.api_usage

    def close(self) -> None:
        """Restore the settings, and commit every transaction that is still open."""
        self._commit(None)
        super().close()

    def before_request(self) -> None:
        """Commit the transactions that have been held back long enough."""
        self._commit(self.requests)

    def change_state(self, active: ActiveRule, facts: RequestFacts) -> None:
        """Change rows of the org, or drop its sessions, cursors or jobs."""
        match active.fault:
            case ExpireTokens():
                self.org.expire_tokens()
            case DropCursors():
                self.org.cursors.drop_all()
            case DropJobs():
                self.org.jobs.drop_all()
            case ConvertLeads() as fault:
                leads = RecordFault(object="Lead", count=fault.count, ids=fault.ids, among=fault.among)
                for row_id in choose_records(active, leads, facts, lambda: self._live_ids("Lead")):
                    self.org.convert_lead(row_id)
            case MergeRows() as fault:
                self._merge(active, fault, facts)
            case RecordFault() as fault:
                name = fault.object or "Contact"
                ids = choose_records(active, fault, facts, lambda: self._live_ids(name))
                self._change(active, fault, name, ids)

    @contextmanager
    def altered(self, due: Iterable[ActiveRule]) -> Iterator[None]:
        """Refuse rows and shorten pages while the request is handled, and in a job that it starts."""
        swaps = TemporaryValues()
        for active in due:
            match active.fault:
                case ShortPages() as fault:
                    size = active.random.randint(fault.smallest, max(fault.smallest, fault.largest))
                    swaps.set(self.org, "page_size", min(size, self.org.page_size))
                case FailJobs() as fault:
                    swaps.set(self.org, "job_failure", JobFailure(fault.done, fault.message))
                case RefuseRows() | LockRows():
                    swaps.set(self.org, "refuse_row", _validation_rule(active, self.org.refuse_row))

        try:
            yield
        finally:
            swaps.restore()

    def refusal(self, fault: Refuse, facts: RequestFacts) -> Answer:
        """Return the refusal of a status: OAuth's form at the token endpoint, a web page for what the edge sends."""
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        if facts.purpose == "sign_in":
            word = str(fault.code or ("invalid_grant" if fault.status < 500 else "unknown_error"))
            text = fault.message or ("expired authorization code" if fault.status < 500 else "retry your request")
            return Answer(fault.status, {"error": word, "error_description": text}, headers)

        words = WORDS.get(fault.status)
        if words is None and fault.code is None:
            return Answer(fault.status, PAGE, headers)

        code, text = words or ("", "Refused by a fault of the sandbox")

        if fault.status == 401:
            headers["WWW-Authenticate"] = "Token"

        if fault.status == 403:
            headers["Sforce-Limit-Info"] = usage_header(self.org)

        error = ApiError(fault.status, str(fault.code or code), fault.message or text)
        return Answer(fault.status, error.body(), headers)

    def page(self, status: int, text: str) -> Answer:
        """Return a web page."""
        return Answer(status, text)

    def _live_ids(self, name: str) -> Sequence[str]:
        rows = self.org.table(name).scan()
        return [str(row["Id"]) for row in rows if row["IsDeleted"] is not True and row["IsConverted"] is not True]

    def _change(self, active: ActiveRule, fault: RecordFault, name: str, ids: Sequence[str]) -> None:
        org = self.org
        if isinstance(fault, EqualStamps):
            org.set_modified(name, ids, org.clock.now() - timedelta(seconds=fault.age_s))

        for row_id in ids:
            match fault:
                case EditRows():
                    org.update_as_user(name, row_id, **_values(active, fault))
                case LateCommit():
                    transaction = org.open_transaction(org.clock.now() - timedelta(seconds=fault.started_s_ago))
                    transaction.update(name, row_id, **stored_values(_values(active, fault)))
                    self._held.append((self.requests + fault.requests, transaction))
                case DeleteRows():
                    org.delete(name, row_id)
                case TouchRows():
                    org.touch(name, row_id)

    def _merge(self, active: ActiveRule, fault: MergeRows, facts: RequestFacts) -> None:
        name = fault.object or "Contact"
        pairs = fault.model_copy(update={"count": 2 * fault.count})
        ids = choose_records(active, pairs, facts, lambda: self._live_ids(name))
        for winner, loser in zip(ids[::2], ids[1::2], strict=False):
            if fault.loser_opted_out:
                self.org.update_as_user(name, loser, DoNotCall=True)
            self.org.merge(winner, [loser])

    def _commit(self, upto: int | None) -> None:
        """Commit the transactions that are due at a request, counted from 1 (None: all)."""
        due = [each for at, each in self._held if upto is None or at <= upto]
        self._held = [(at, each) for at, each in self._held if each not in due]
        for transaction in due:
            try:
                transaction.commit()
            except RowError:
                log.warning("salesforce: the row of a late commit has been deleted meanwhile")

    def _refuse_unknown(self, active: ActiveRule) -> None:
        fault = active.fault
        name = getattr(fault, "object", None) or "Contact"
        spec = self.org.tables[name].spec if name in self.org.permissionable_objects() else None
        if spec is None:
            hint = did_you_mean(name, self.org.permissionable_objects())
            raise FaultsError(f"rules.{active.number}.fault.object: the org has no {name!r}{hint}.")

        fields = [*fault.values] if isinstance(fault, EditFault) else []
        if isinstance(fault, MergeRows) and fault.loser_opted_out:
            fields.append("DoNotCall")

        for field in fields:
            if field not in spec.fields:
                hint = did_you_mean(field, spec.fields)
                raise FaultsError(f"rules.{active.number}.fault: {name} has no field {field!r}{hint}.")


def _values(active: ActiveRule, fault: EditFault) -> Mapping[str, Value]:
    return fault.values or {"Phone": f"(201) 555-01{active.random.randrange(100):02d}"}


def _validation_rule(active: ActiveRule, otherwise: RefuseRow | None) -> RefuseRow:
    """Return a validation rule: it refuses what the fault refuses, and then what the rule before it refuses."""

    def refuse(object_name: str, row: Row, changes: Mapping[str, Value]) -> tuple[str, str] | None:
        found = _row_refusal(active, object_name, row)
        return found or (otherwise(object_name, row, changes) if otherwise else None)

    return refuse


def _row_refusal(active: ActiveRule, object_name: str, row: Row) -> tuple[str, str] | None:
    row_id, fault = str(row["Id"] or ""), active.fault
    if not row_id:
        return None

    if isinstance(fault, LockRows):
        locked = str(row["AccountId"] or row_id)
        if active.selects(locked, fault.fraction) and active.refuses(row_id, fault.tries):
            return "UNABLE_TO_LOCK_ROW", f"unable to obtain exclusive access to this record or 1 records: {locked}"

    if isinstance(fault, RefuseRows) and fault.object in (None, object_name):
        hit = row_id in fault.ids if fault.ids else active.selects(row_id, fault.fraction)
        if hit and active.refuses(row_id, fault.tries):
            return fault.code or "FIELD_CUSTOM_VALIDATION_EXCEPTION", fault.message

    return None
