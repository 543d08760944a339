"""What the command line says to do about an error: error code -> words. The web service keeps a table of its own.

The core names a situation by its code and knows no flag and no variable. What an error says by itself stands first;
the table adds the flags, commands and variables, and replaces a message where the variable belongs into it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.core.errors import ErrorCode, RingfenceError

_ACCEPT_MASS_CHANGE = "If this is right, run again with --accept-mass-change."
_MAKE_KEY = "Make one with: python3 -c 'import os, base64; print(base64.b64encode(os.urandom(32)).decode())'"
_LIST_RUNS = "`ringfence runs list` shows the ids."


@dataclass(frozen=True, slots=True)
class Words:
    """How a situation is worded: a message that replaces the core's (empty: the core's stands), and a remedy.

    Both may name the error's details in braces, such as ``{max_lookups}``.
    """

    remedy: str = ""
    message: str = ""


REMEDIES: dict[ErrorCode, Words] = {
    ErrorCode.PLAN_NEEDS_DRY_RUN: Words("Add --dry-run."),
    ErrorCode.RESCREEN_WITH_LIMIT: Words(
        "Leave out --limit, or take parts by the age of a shorter policy: --policy and --limit.",
        message="A rescreen begins anew each time: with --limit it would take the same records again and again.",
    ),
    ErrorCode.NOT_A_PLAN_FILE: Words("`ringfence sync CRM --dry-run --out FILE` makes one."),
    ErrorCode.PLAN_ALREADY_APPLIED: Words("`ringfence runs show RUN` tells what it did."),
    ErrorCode.LOOKUP_BUDGET_USED_UP: Words(
        message="The budget of {max_lookups} lookups is used up (RINGFENCE_LOOKUP__MAX_LOOKUPS). "
        "The next run goes on from here and pays for nothing twice.",
    ),
    ErrorCode.LOOKUP_COST_USED_UP: Words("The cap is RINGFENCE_LOOKUP__MAX_COST_PER_RUN."),
    ErrorCode.LOOKUP_DAY_USED_UP: Words("The cap is RINGFENCE_LOOKUP__{setting}."),
    ErrorCode.LOOKUPS_NOT_AGREED: Words(
        "Set RINGFENCE_LOOKUP__MAX_LOOKUPS or another cap, or pass --confirm-cost. Where nobody is there, as in a "
        "worker, it takes a cap of the day: RINGFENCE_LOOKUP__MAX_PER_DAY or RINGFENCE_LOOKUP__MAX_COST_PER_DAY."
    ),
    ErrorCode.PRICE_NOT_KNOWN: Words(
        "Set RINGFENCE_{setting}__PRICE to what one number costs there, in RINGFENCE_LOOKUP__CURRENCY (0 where it is "
        "free), or cap numbers instead: RINGFENCE_LOOKUP__MAX_LOOKUPS, RINGFENCE_LOOKUP__MAX_PER_DAY."
    ),
    ErrorCode.LOOKUPS_FAILED: Words("Run again later; what was answered is not bought twice."),
    ErrorCode.MASS_CHANGE: Words(_ACCEPT_MASS_CHANGE),
    ErrorCode.EMPTY_FULL_READ: Words(_ACCEPT_MASS_CHANGE),
    ErrorCode.OPT_OUT_UNHEARD: Words("If the mapping is meant as it is, run again with --accept-opt-out-change."),
    ErrorCode.RUN_NOT_FOUND: Words(_LIST_RUNS),
    ErrorCode.RUN_AMBIGUOUS: Words(_LIST_RUNS),
    ErrorCode.RUN_OF_NO_ACCOUNT: Words(
        "`ringfence sync NAME --dry-run` makes an account known. RINGFENCE_ACCOUNTS has: {accounts}."
    ),
    ErrorCode.REVIEW_AMBIGUOUS: Words("Give their ids, or --reason for all that wait for one."),
    ErrorCode.REVIEW_NOT_FOUND: Words("`ringfence review list` shows the ids."),
    ErrorCode.REVIEW_DECIDED: Words("To end an opt-out: `ringfence suppress lift NUMBER --reason TEXT`."),
    ErrorCode.RUN_PURGED: Words("`ringfence runs list` shows what is left."),
    ErrorCode.UNDO_OF_DRY_RUN: Words(),  # the message says all of it: there is nothing to do
    ErrorCode.STATE_URL_MALFORMED: Words(
        "Examples: sqlite:////var/lib/ringfence/ringfence.db, postgresql://ringfence:PASSWORD@db.example.com/ringfence",
        message="RINGFENCE_STATE_URL is not a usable SQLAlchemy URL.",
    ),
    ErrorCode.STATE_DRIVER_MISSING: Words("Install it: pip install 'ringfence[postgres]'"),
    ErrorCode.STATE_MOVED: Words("Set RINGFENCE_STATE_URL to that one, with its password."),
    ErrorCode.STATE_HOLDS_SOMETHING: Words(
        "With --replace the back-up takes its place; RINGFENCE_STATE_URL may name an empty one instead."
    ),
    ErrorCode.STATE_FOLDER_MISSING: Words("Create it, or change RINGFENCE_STATE_URL."),
    ErrorCode.STATE_COPY_FAILED: Words("Make room for temporary files, or set TMPDIR to another folder."),
    ErrorCode.ENCRYPTION_KEY_MALFORMED: Words(
        _MAKE_KEY,
        message="RINGFENCE_ENCRYPTION_KEY is not base64 of 32 bytes.",
    ),
    ErrorCode.ENCRYPTION_KEY_MISSING: Words(
        f"A state store on PostgreSQL needs it, the same for every process. {_MAKE_KEY}",
        message="RINGFENCE_ENCRYPTION_KEY is not set.",
    ),
    ErrorCode.ENCRYPTION_KEY_MISMATCH: Words(
        "Set RINGFENCE_ENCRYPTION_KEY, or restore the key file, that belongs to this store."
    ),
    ErrorCode.ENCRYPTION_KEY_LEFT_OUT: Words(
        "Set that key as RINGFENCE_ENCRYPTION_KEY_OLD. Where it is the older one, `ringfence state rotate-key` then "
        "goes on with it; where it is the new one, start this process again with both."
    ),
    ErrorCode.ENCRYPTION_KEY_OLD_MISSING: Words(
        "Set a new key as RINGFENCE_ENCRYPTION_KEY and the one in use as RINGFENCE_ENCRYPTION_KEY_OLD, for every "
        f"process on this store, and run this again. {_MAKE_KEY}"
    ),
    ErrorCode.KEY_FILE_MISSING: Words(
        "Restore it, or set RINGFENCE_ENCRYPTION_KEY. Without it, move the store away to begin a new one."
    ),
    ErrorCode.NOT_READY: Words("`ringfence check {crm}` shows all of it."),
    ErrorCode.NO_STATE: Words("RINGFENCE_STATE_URL says where it lies; the first sync makes it."),
    ErrorCode.SCHEDULE_UNREADABLE: Words(
        "Write it, as docs/schedule.example.yaml does, or say with --file where it is."
    ),
    ErrorCode.LIST_HAS_NO_BASE: Words("Import its full list first, without --delta."),
    ErrorCode.LIST_NOT_FOUND: Words("`ringfence suppress lists` names those that there are."),
    ErrorCode.LIST_UNREADABLE: Words(
        "Name what it is: --format us-dnc, us-dnc-change, ca-dncl, uk-tps, numbers or csv, with --column; national "
        "numbers of another country need --region. --dry-run shows how the file is read."
    ),
    ErrorCode.LISTS_EXPIRED: Words(
        "Download a newer one and take it in: `ringfence suppress import FILE --list NAME --jurisdiction CC --as-of "
        "DATE`. To go on with what there is: --allow-expired-lists."
    ),
    ErrorCode.JOB_NOT_FOUND: Words("`ringfence jobs list` shows the ids."),
    ErrorCode.TOKEN_NOT_FOUND: Words("`ringfence tokens list` names those that there are."),
    ErrorCode.JOBS_LEFT: Words("`ringfence jobs list` shows them."),
    ErrorCode.NUMBER_WITHOUT_REGION: Words(
        "Name it, as in --region US, or one for all, as in RINGFENCE_DEFAULT_REGION=US; or write the number with its "
        "plus and calling code."
    ),
    ErrorCode.NO_PROVIDER: Words(
        'Set RINGFENCE_LOOKUP__PROVIDERS, such as ["twilio"].',
        message="--lookups was given, and no provider is configured.",
    ),
}


def word(error: RingfenceError) -> tuple[str, str]:
    """Return the message and the remedy of an error as the command line says them; the remedy may be empty."""
    entry = REMEDIES.get(error.code, Words())

    message = entry.message.format_map(error.details) or error.message
    remedy = f"{error.remedy} {entry.remedy.format_map(error.details)}".strip()
    return message, remedy


def explain(error: RingfenceError) -> str:
    """Return an error in one line: what happened and what to do."""
    return " ".join(word(error)).strip()
