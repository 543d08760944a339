"""What a door calls: the command line today, a web service later. Each takes the wiring and returns a result.

Operations print nothing and know no command line. What only a person can decide is asked through the :class:`Door` that
the caller hands in; it also shows how far the work has come, and words the errors that a run keeps in the history.

::

    runs        sync_crm, apply_plan, undo_run
    screening   screen_number, screen_file
    export      export_list
    preflight   check_crm
    setup       plan_setup, plan_removal, emit_setup
    plans       review_plan
    state       purge_state, forget_org, move_state
    erasure     erase_one, export_held
    history     open_history, select_changes
    audit       list_audit, verify_audit, enter_reveal
    keys        rotate_key
    backups     back_up_state, restore_state
    jobs        list_jobs, find_job, retry_job, cancel_job
    schedule    load_schedule
    suppression add_entry, lift_of_record, check_number, open_entries
    suppression_file  check_file
    suppression_lists  import_list, list_lists, take_away_list
    lifting     lift_number
    tokens      make_token, show_tokens, withdraw_token
"""

from .accounts import find_twin
from .audit import enter_reveal, list_audit, verify_audit
from .backups import back_up_state, restore_state
from .door import (
    BuyForFile,
    BuyLookups,
    CreateFields,
    Door,
    DoorProgress,
    EraseNumber,
    ForgetAccount,
    LiftNumber,
    Question,
    RemoveFields,
    Rescreen,
    TakeBack,
)
from .erasure import ErasedNumber, Held, erase_one, export_held
from .every_account import opt_outs_of_all
from .export import ExportOptions, WrittenList, export_list
from .first_sync import FirstSync
from .first_write import Figures, FirstWrite
from .history import History, RunReview, Selection, open_history, select_changes
from .jobs import cancel_job, find_job, list_jobs, retry_job
from .keys import RotatedKey, rotate_key
from .lifting import LiftedNumber, lift_number
from .plans import PlanReview, review_plan
from .preflight import CheckResult, check_crm, require_ready, warn_of_preview
from .reviews import ShownItem, list_reviews, resolve_reviews
from .runs import Account, apply_plan, run_sync_job, sync_crm, undo_run
from .schedule import SCHEDULE_FILE, CommandLine, LoadedSchedule, ScheduleEntry, load_schedule
from .screening import ScreenedFile, ScreenedNumber, confirm_file_cost, home_region, screen_file, screen_number
from .setup import Setup, Unset, emit_setup, plan_removal, plan_setup
from .state import ForgottenAccount, MovedState, PurgedState, forget_org, move_state, purge_state
from .suppression import Added, Answer, Wish, add_entry, check_number, lift_of_record, open_entries, open_question
from .suppression_file import check_file
from .suppression_lists import ImportedList, ListWish, import_list, list_lists, take_away_list
from .tokens import make_token, show_tokens, withdraw_token

__all__ = [
    "SCHEDULE_FILE",
    "Account",
    "Added",
    "Answer",
    "BuyForFile",
    "BuyLookups",
    "CheckResult",
    "CommandLine",
    "CreateFields",
    "Door",
    "DoorProgress",
    "EraseNumber",
    "ErasedNumber",
    "ExportOptions",
    "Figures",
    "FirstSync",
    "FirstWrite",
    "ForgetAccount",
    "ForgottenAccount",
    "Held",
    "History",
    "ImportedList",
    "LiftNumber",
    "LiftedNumber",
    "ListWish",
    "LoadedSchedule",
    "MovedState",
    "PlanReview",
    "PurgedState",
    "Question",
    "RemoveFields",
    "Rescreen",
    "RotatedKey",
    "RunReview",
    "ScheduleEntry",
    "ScreenedFile",
    "ScreenedNumber",
    "Selection",
    "Setup",
    "ShownItem",
    "TakeBack",
    "Unset",
    "Wish",
    "WrittenList",
    "add_entry",
    "apply_plan",
    "back_up_state",
    "cancel_job",
    "check_crm",
    "check_file",
    "check_number",
    "confirm_file_cost",
    "emit_setup",
    "enter_reveal",
    "erase_one",
    "export_held",
    "export_list",
    "find_job",
    "find_twin",
    "forget_org",
    "home_region",
    "import_list",
    "lift_number",
    "lift_of_record",
    "list_audit",
    "list_jobs",
    "list_lists",
    "list_reviews",
    "load_schedule",
    "make_token",
    "move_state",
    "open_entries",
    "open_history",
    "open_question",
    "opt_outs_of_all",
    "plan_removal",
    "plan_setup",
    "purge_state",
    "require_ready",
    "resolve_reviews",
    "restore_state",
    "retry_job",
    "review_plan",
    "rotate_key",
    "run_sync_job",
    "screen_file",
    "screen_number",
    "select_changes",
    "show_tokens",
    "sync_crm",
    "take_away_list",
    "undo_run",
    "verify_audit",
    "warn_of_preview",
    "withdraw_token",
]
