"""How signs from calls and messages are weighed: the rules of ``evidence.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field

from .signals import Outcome
from .signs import NumberSign, Sign


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SuspectRule(_Model):
    """When a number is suspected to be dead. A number that nobody reaches for a weekend is no dead one."""

    failed_in_a_row: int = Field(4, ge=1, le=100, description="So many calls and messages in a row have failed.")
    over_days: float = Field(14, ge=0, le=3650, description="Days that lie between the first of them and the last.")
    dead_signs: int = Field(
        1, ge=1, le=100, description="So many that say it is out of service are enough, however few days they take."
    )


class DisconnectedRule(_Model):
    """When a number counts as disconnected although nobody has looked it up."""

    kinds: int = Field(
        2, ge=2, le=3, description="So many different kinds of source say so: one agent or one carrier never suffices."
    )


class SilentRule(_Model):
    """When a number goes to review because nothing was heard of it for long, though nothing bad either."""

    after_days: float = Field(365, gt=0, le=36500, description="Days since anything was last heard of the line.")
    most_a_run: int = Field(100, ge=0, description="So many numbers at most that one sync asks people about; 0: none.")


class SegmentRule(_Model):
    """How long nobody was reached at a number that is quiet, and at one that has lapsed."""

    quiet_after_days: float = Field(180, gt=0, le=36500, description="Days since somebody was last reached: quiet.")
    lapsed_after_days: float = Field(540, gt=0, le=36500, description="Days since then after which it has lapsed.")


DEFAULT_SIGNS: Mapping[Outcome, Sign] = MappingProxyType(
    {
        Outcome.CONNECTED: Sign.ALIVE,
        Outcome.VOICEMAIL: Sign.EXISTS,
        Outcome.BUSY: Sign.EXISTS,
        Outcome.NO_ANSWER: Sign.FAILED,
        Outcome.OUT_OF_SERVICE: Sign.DEAD,
        Outcome.WRONG_NUMBER: Sign.ALIVE,
        Outcome.ASKED_NOT_TO_CALL: Sign.ALIVE,
        Outcome.DECEASED: Sign.ALIVE,
        Outcome.DELIVERED: Sign.ALIVE,
        Outcome.UNDELIVERED: Sign.FAILED,
        Outcome.BLOCKED: Sign.NEUTRAL,
    }
)
"""What each outcome shows of the line, unless the file says otherwise."""


class EvidenceRules(_Model):
    """The rules by which calls and messages make a number suspected, disconnected, or known to be alive."""

    suspect: SuspectRule = Field(default_factory=SuspectRule)
    disconnected: DisconnectedRule = Field(default_factory=DisconnectedRule)
    silent: SilentRule = Field(default_factory=SilentRule)
    segments: SegmentRule = Field(default_factory=SegmentRule)
    signs: Mapping[Outcome, Sign] = Field(
        default_factory=dict, description="Outcome -> what it shows of the line, where that is not the usual."
    )
    codes: Mapping[str, Mapping[str, Sign]] = Field(
        default_factory=dict,
        description="Source -> its own code -> what that shows of the line, where its outcome alone would mislead.",
    )
    doubtful_receipts: tuple[str, ...] = Field(
        (), description="Sources whose receipts for delivery prove little: they end a row of failures, and no more."
    )

    def show(self, sign: NumberSign) -> Sign:
        """Return what a sign shows of the line: by its source's own code, else by its outcome."""
        by_code = self.codes.get(sign.source, {}).get(sign.code)
        shown = by_code or self.signs.get(sign.outcome) or DEFAULT_SIGNS[sign.outcome]
        is_receipt = sign.outcome is Outcome.DELIVERED and shown is Sign.ALIVE
        return Sign.EXISTS if is_receipt and sign.source in self.doubtful_receipts else shown

    @property
    def quiet_after(self) -> timedelta:
        """Return how long nobody was reached at a number that is quiet."""
        return timedelta(days=self.segments.quiet_after_days)

    @property
    def lapsed_after(self) -> timedelta:
        """Return how long nobody was reached at a number that has lapsed."""
        return timedelta(days=self.segments.lapsed_after_days)

    @property
    def silent_after(self) -> timedelta:
        """Return how long a line may be silent before somebody is asked."""
        return timedelta(days=self.silent.after_days)
