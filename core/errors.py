"""Every error ringfence raises, named by what helps, each with the machine code it has by default.

::

    RingfenceError              internal               exit 70  a bug of ours
    ├── FixError                fix                    exit 2   change the command, a setting or a file
    │   ├── UsageError          usage                           the request does not fit together
    │   │   └── CostError       cost                            lookups would be bought, and nobody agreed to the cost
    │   ├── SettingsError       settings                        a setting is missing or malformed
    │   ├── MappingError        mapping                         a mapping or policy file that is wrong by itself
    │   ├── ScheduleError       schedule                        a schedule file that is wrong by itself
    │   ├── FileError           file                            a file that cannot be read or written
    │   └── StateError          state                           the state store
    ├── RefusedError            refused                exit 3   the CRM or a provider refused us
    │   ├── AuthenticationError authentication                  credentials
    │   ├── AccessError         access                          permission or scope
    │   └── SchemaError         schema                          a field, object or property that the CRM lacks
    ├── StoppedError            stopped                exit 4   stopped early; the next run goes on from there
    │   ├── QuotaError          quota                           a limit of the CRM or provider, or a budget
    │   ├── UnreachableError    unreachable                     no answer, or an outage
    │   ├── BusyError           busy                            another run of the same org is under way
    │   └── GuardError          guard                           the run would have changed far more than expected
    └── RetryError              retry                  exit 4   passing fault, raised and caught inside connectors;
                                                                outside it means a bug

A message names the thing and what happened; the remedy says what to do now. Neither carries a secret or a full number.

Where the remedy depends on the door (a flag of the command line, a button, a variable), the core leaves that part out
and gives the situation a code of its own, all of them listed in :class:`ErrorCode`. Each door keeps a table from those
codes to its words: the command line's is ``apps/remedies.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

Detail = str | int
"""A figure or name that the words of a door may need, such as an object or a limit."""


class ErrorCode(StrEnum):
    """The stable name of a situation, for programs and for the tables in which doors look up their words."""

    # One for each class, where the situation has no code of its own.
    INTERNAL = "internal"
    FIX = "fix"
    USAGE = "usage"
    COST = "cost"
    SETTINGS = "settings"
    MAPPING = "mapping"
    SCHEDULE = "schedule"
    FILE = "file"
    STATE = "state"
    REFUSED = "refused"
    AUTHENTICATION = "authentication"
    ACCESS = "access"
    SCHEMA = "schema"
    STOPPED = "stopped"
    QUOTA = "quota"
    UNREACHABLE = "unreachable"
    BUSY = "busy"
    GUARD = "guard"
    RETRY = "retry"

    # Situations that each door words for itself; behind them the details that come along.
    PLAN_NEEDS_DRY_RUN = "plan_needs_dry_run"
    RESCREEN_WITH_LIMIT = "rescreen_with_limit"
    NOT_A_PLAN_FILE = "not_a_plan_file"
    PLAN_ALREADY_APPLIED = "plan_already_applied"
    LOOKUP_BUDGET_USED_UP = "lookup_budget_used_up"  # max_lookups
    LOOKUP_COST_USED_UP = "lookup_cost_used_up"  # used, most
    LOOKUP_DAY_USED_UP = "lookup_day_used_up"  # used, most, setting
    LOOKUPS_NOT_AGREED = "lookups_not_agreed"  # lookups, cost
    PRICE_NOT_KNOWN = "price_not_known"  # providers, setting
    LOOKUPS_FAILED = "lookups_failed"
    MASS_CHANGE = "mass_change"
    EMPTY_FULL_READ = "empty_full_read"
    OPT_OUT_UNHEARD = "opt_out_unheard"
    RUN_NOT_FOUND = "run_not_found"
    RUN_OF_NO_ACCOUNT = "run_of_no_account"
    REVIEW_AMBIGUOUS = "review_ambiguous"
    REVIEW_NOT_FOUND = "review_not_found"
    REVIEW_DECIDED = "review_decided"
    RUN_AMBIGUOUS = "run_ambiguous"
    RUN_PURGED = "run_purged"
    UNDO_OF_DRY_RUN = "undo_of_dry_run"
    STATE_URL_MALFORMED = "state_url_malformed"
    STATE_DRIVER_MISSING = "state_driver_missing"
    STATE_MOVED = "state_moved"
    STATE_HOLDS_SOMETHING = "state_holds_something"
    STATE_FOLDER_MISSING = "state_folder_missing"
    STATE_COPY_FAILED = "state_copy_failed"
    ENCRYPTION_KEY_MALFORMED = "encryption_key_malformed"
    ENCRYPTION_KEY_MISSING = "encryption_key_missing"
    ENCRYPTION_KEY_MISMATCH = "encryption_key_mismatch"
    ENCRYPTION_KEY_LEFT_OUT = "encryption_key_left_out"
    ENCRYPTION_KEY_OLD_MISSING = "encryption_key_old_missing"
    KEY_FILE_MISSING = "key_file_missing"
    NOT_READY = "not_ready"  # crm
    NO_PROVIDER = "no_provider"
    NO_STATE = "no_state"
    JOB_NOT_FOUND = "job_not_found"
    TOKEN_NOT_FOUND = "token_not_found"  # noqa: S105 - the name of a situation
    JOBS_LEFT = "jobs_left"
    SCHEDULE_UNREADABLE = "schedule_unreadable"
    NUMBER_WITHOUT_REGION = "number_without_region"
    LIST_HAS_NO_BASE = "list_has_no_base"
    LIST_NOT_FOUND = "list_not_found"
    LIST_UNREADABLE = "list_unreadable"
    LISTS_EXPIRED = "lists_expired"  # lists


class RingfenceError(Exception):
    """Base of all errors: ``message`` for what happened, ``remedy`` for what to do about it.

    ``code`` names the situation for programs; ``details`` holds what a door needs to word it. The door that
    shows the error adds its own words.
    """

    exit_code = 70
    code = ErrorCode.INTERNAL

    def __init__(
        self,
        message: str,
        remedy: str = "",
        *,
        code: ErrorCode | None = None,
        details: Mapping[str, Detail] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.details = dict(details or {})
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class FixError(RingfenceError):
    """The user has to change something before the command can work."""

    exit_code = 2
    code = ErrorCode.FIX


class UsageError(FixError):
    """The request asks for things that do not fit together, or for something that is not there."""

    code = ErrorCode.USAGE


class CostError(UsageError):
    """Lookups would be bought without a cap, and nobody has agreed to what they cost; the rest of the run is done.

    ``lookups`` is how many numbers would be looked up, ``cost`` what they cost at most, with the currency.
    """

    code = ErrorCode.COST

    def __init__(self, lookups: int, cost: str, *, code: ErrorCode | None = None) -> None:
        super().__init__(
            f"{lookups:,} numbers would be looked up, for {cost} at most, and nobody has agreed to that: nothing was "
            "bought, and their records wait. Everything else is done, opt-outs included.",
            code=code,
            details={"lookups": lookups, "cost": cost},
        )


class SettingsError(FixError):
    """A setting is missing, malformed or unsafe."""

    code = ErrorCode.SETTINGS


class MappingError(FixError):
    """A mapping or policy file is wrong by itself."""

    code = ErrorCode.MAPPING


class ScheduleError(FixError):
    """A schedule file that is wrong by itself."""

    code = ErrorCode.SCHEDULE


class FileError(FixError):
    """A file cannot be read, or must not be written."""

    code = ErrorCode.FILE


class StateError(FixError):
    """The state store cannot be opened or is not ours."""

    code = ErrorCode.STATE


class RefusedError(RingfenceError):
    """The other side refused us; repeating the call changes nothing."""

    exit_code = 3
    code = ErrorCode.REFUSED


class AuthenticationError(RefusedError):
    """The credentials were not accepted."""

    code = ErrorCode.AUTHENTICATION


class AccessError(RefusedError):
    """A permission or scope is missing."""

    code = ErrorCode.ACCESS


class SchemaError(RefusedError):
    """The CRM lacks a field, object or property that the mapping names."""

    code = ErrorCode.SCHEMA


class StoppedError(RingfenceError):
    """The run ended early in good order; running again goes on from there."""

    exit_code = 4
    code = ErrorCode.STOPPED


class QuotaError(StoppedError):
    """A limit of the other side, or the run's own budget, is used up."""

    code = ErrorCode.QUOTA


class UnreachableError(StoppedError):
    """The other side does not answer, or answers that it is out of order."""

    code = ErrorCode.UNREACHABLE


class BusyError(StoppedError):
    """Another run of the same org is under way."""

    code = ErrorCode.BUSY


class GuardError(StoppedError):
    """The run would have changed far more than expected and stopped before writing."""

    code = ErrorCode.GUARD


class RetryError(RingfenceError):
    """A passing fault. ``wait_s`` is the pause that the other side asked for, in seconds, or None."""

    exit_code = 4
    code = ErrorCode.RETRY

    def __init__(self, message: str, remedy: str = "", *, wait_s: float | None = None) -> None:
        super().__init__(message, remedy)
        self.wait_s = wait_s


class Terminated(BaseException):
    """The process has been asked to end (SIGTERM). Like KeyboardInterrupt it is no error, and nothing catches it."""
