"""The contract by which executions of a CRM's workflows are completed that were not answered at once.

What a CRM may also be, as the doors ask it: ``isinstance(crm, Completing)``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Completion:
    """An execution by its CRM's own id, and the outputs that its workflow goes on with."""

    callback_id: str
    outputs: Mapping[str, str]


class Refusal(StrEnum):
    """Why a CRM does not take a call of completion."""

    GONE = "gone"  # it waits for one of them no more, or never did
    WRONG = "wrong"  # it finds something in it wrong


@dataclass(frozen=True, slots=True)
class Refused:
    """A call of completion that the CRM took nothing of; ``words`` are its own, numbers masked."""

    refusal: Refusal
    words: str


@runtime_checkable
class Completing(Protocol):
    """Completes executions of workflows."""

    completion_batch: int
    """How many one call takes."""

    def complete(self, completions: Sequence[Completion]) -> Refused | None:
        """Complete executions by one call; None where the CRM took all of them.

        Passing faults are waited for as everywhere. Raises the errors of :mod:`ringfence.core.errors`.
        """
        ...
