"""What a door hands in: how it asks a person, shows progress and words errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ringfence.core.errors import RingfenceError
from ringfence.core.runs.progress import Progress

from .first_write import FirstWrite

if TYPE_CHECKING:  # a door asks few of these questions, and loads nothing for the others
    from ringfence.core.ports.crm import Org
    from ringfence.core.ports.setup_steps import Removal, SetupStep
    from ringfence.core.runs.lift_summary import Lifted
    from ringfence.core.runs.summary import Summary
    from ringfence.core.state.forget import KnownAccount, OptOutLoss
    from ringfence.core.state.run_history import Run


@dataclass(frozen=True, slots=True)
class Rescreen:
    """May every slot of the org be made due, at the cost that a dry run found? Only lookups to buy need an answer.

    ``capped`` tells that a cap holds the cost down, ``agreed`` that somebody has given their word already.
    """

    org: Org
    cost: Summary
    capped: bool = False
    agreed: bool = False


@dataclass(frozen=True, slots=True)
class BuyLookups:
    """May so many numbers be looked up, for ``cost`` at most (with its currency)? There is no cap that answers it.

    A flag that answers every question does not answer this one.
    """

    lookups: int
    cost: str


@dataclass(frozen=True, slots=True)
class BuyForFile:
    """May about so many numbers of a file be looked up, for ``cost`` at most (with its currency)?

    Whoever asked for lookups has given their word where nobody can be asked; ``capped`` tells that a cap holds them.
    """

    lookups: int
    cost: str
    capped: bool = False


@dataclass(frozen=True, slots=True)
class TakeBack:
    """May this run be undone in a production org?"""

    org: Org
    run: Run


@dataclass(frozen=True, slots=True)
class CreateFields:
    """May these fields be created in a production org?"""

    org: Org
    steps: Sequence[SetupStep]


@dataclass(frozen=True, slots=True)
class RemoveFields:
    """May these fields go, with what the records hold in them?"""

    org: Org
    removal: Removal


@dataclass(frozen=True, slots=True)
class ForgetAccount:
    """May all that is known of an account be forgotten, its opt-outs included?"""

    account: KnownAccount
    loss: OptOutLoss


@dataclass(frozen=True, slots=True)
class EraseNumber:
    """May all that is held about a number be erased for good? ``records`` of CRMs hold it and are left as they are.

    Whoever gave a reason has given their word where nobody can be asked.
    """

    number: str
    records: int
    suppressed: bool


@dataclass(frozen=True, slots=True)
class LiftNumber:
    """May the block on a number, masked, be lifted? ``preview`` makes a dry run and returns what it would do."""

    number: str
    preview: Callable[[], Lifted]


Question = (
    FirstWrite
    | Rescreen
    | BuyLookups
    | BuyForFile
    | TakeBack
    | CreateFields
    | RemoveFields
    | ForgetAccount
    | EraseNumber
    | LiftNumber
)


class DoorProgress(Progress, Protocol):
    """Shows how far a run has come, or the screening of a file."""

    def at(self, done: int, total: int) -> None:
        """So many of so many rows are done."""
        ...


@dataclass(frozen=True, slots=True)
class Door:
    """What an operation needs from the door that called it.

    ``confirm`` returns when a person (or a flag that stands for one) agrees, and raises UsageError otherwise.
    ``warn`` tells of what is true of the whole work, before it begins.
    ``progress`` shows the work of the given title for as long as its block lasts. ``explain`` returns an error in the
    door's words, ``word`` its message and its remedy apart. ``began`` is called with the summary of a run as soon as
    the history knows of it; ``must_end`` tells whether the process was asked to end. See
    :class:`ringfence.core.runs.run.SyncJob`. ``unattended`` tells that nobody is there, as in a worker: see
    :meth:`ringfence.core.model.caps.Caps.may_buy`. ``author`` is who acts, for the ledger and the audit log:
    "user@host" on the command line.
    """

    confirm: Callable[[Question], None]
    progress: Callable[[str], AbstractContextManager[DoorProgress]]
    explain: Callable[[RingfenceError], str]
    word: Callable[[RingfenceError], tuple[str, str]] = lambda error: (error.message, error.remedy)
    began: Callable[[Any], None] = lambda _summary: None
    must_end: Callable[[], bool] = lambda: False
    warn: Callable[[str], None] = lambda _warning: None
    unattended: bool = False
    author: str = ""
