"""What set-up creates in a CRM, and what taking it away would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class SetupStep:
    """A thing that setup creates or takes away: ``kind`` and ``name`` for people, ``body`` for the connector.

    ``label`` is that of a field or a group, ``type`` that of a field, or what else tells this step from others of its
    kind. ``refused`` holds the CRM's words where it did not do the step.
    """

    kind: str
    name: str
    body: Any = None
    label: str = ""
    type: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that the removal of set-up leaves in the CRM, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Removal:
    """What taking set-up away would do.

    ``records`` tells for each object how many of its records hold something in the companions that go, ``opt_outs`` for
    each opt-out field that goes (``contacts.rf_do_not_call``) how many flags are up; None where the CRM does not say.
    """

    steps: Sequence[SetupStep] = ()
    kept: Sequence[Kept] = ()
    records: Mapping[str, int | None] = field(default_factory=dict)
    opt_outs: Mapping[str, int | None] = field(default_factory=dict)
