"""What a door calls: the command line today, a web service later. Each takes the wiring and returns a result.

Operations print nothing and know no command line. What only a person can decide is asked through the :class:`Door` that
the caller hands in; it also shows how far the work has come, and words the errors that a run keeps in the history.

::

    runs        sync_crm, apply_plan, undo_run
    screening   screen_number, screen_file
    preflight   check_crm
    setup       plan_setup, plan_removal, emit_setup
    plans       review_plan
    state       purge_state, forget_org, move_state
    history     open_history, select_changes
"""

from .door import (
    BuyForFile,
    BuyLookups,
    CreateFields,
    Door,
    DoorProgress,
    ForgetAccount,
    Question,
    RemoveFields,
    Rescreen,
    TakeBack,
)
from .first_sync import FirstSync
from .first_write import Figures, FirstWrite
from .history import History, RunReview, Selection, open_history, select_changes
from .plans import PlanReview, review_plan
from .preflight import CheckResult, check_crm, require_ready, warn_of_preview
from .runs import Account, apply_plan, run_sync_job, sync_crm, undo_run
from .screening import ScreenedFile, ScreenedNumber, confirm_file_cost, home_region, screen_file, screen_number
from .setup import Setup, Unset, emit_setup, plan_removal, plan_setup
from .state import ForgottenAccount, MovedState, PurgedState, forget_org, move_state, purge_state

__all__ = [
    "Account",
    "BuyForFile",
    "BuyLookups",
    "CheckResult",
    "CreateFields",
    "Door",
    "DoorProgress",
    "Figures",
    "FirstSync",
    "FirstWrite",
    "ForgetAccount",
    "ForgottenAccount",
    "History",
    "MovedState",
    "PlanReview",
    "PurgedState",
    "Question",
    "RemoveFields",
    "Rescreen",
    "RunReview",
    "ScreenedFile",
    "ScreenedNumber",
    "Selection",
    "Setup",
    "TakeBack",
    "Unset",
    "apply_plan",
    "check_crm",
    "confirm_file_cost",
    "emit_setup",
    "forget_org",
    "home_region",
    "move_state",
    "open_history",
    "plan_removal",
    "plan_setup",
    "purge_state",
    "require_ready",
    "review_plan",
    "run_sync_job",
    "screen_file",
    "screen_number",
    "select_changes",
    "sync_crm",
    "undo_run",
    "warn_of_preview",
]
