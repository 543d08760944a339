"""What a list of quiet numbers says beside the number: how lately anybody was reached, and another way to ask."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ..decisions.segments import Engagement, Segment, find_engagement
from ..evidence.history import NumberHistory
from ..model.evidence_rules import EvidenceRules
from ..model.record_view import RecordView, text
from ..ports.services import Clock
from .export_spool import ExportRow

NEVER_CONTACTED, ACTIVE = "never_contacted", "active"
"""Why a number that may be called is not on the list of quiet ones."""

EMAIL = "email"

_STAMP = "%Y-%m-%dT%H:%M:%SZ"
_FALSE = ("", "false", "0", "no")


@dataclass(frozen=True, slots=True)
class QuietRows:
    """Tells of the numbers of a page whether they are quiet, by what calls and messages have shown of them."""

    history: NumberHistory
    rules: EvidenceRules
    clock: Clock

    def find(self, numbers: Collection[str]) -> Mapping[str, Engagement]:
        """Return the segment of each E.164 number that was ever called or written to."""
        now = self.clock.now()
        found = {
            number: find_engagement(signs, self.rules, now) for number, signs in self.history.find(numbers).items()
        }
        return {number: engagement for number, engagement in found.items() if engagement is not None}


def why_not_quiet(engagement: Engagement | None) -> str:
    """Return why a number is not on the list; empty where it is."""
    if engagement is None:
        return NEVER_CONTACTED
    return ACTIVE if engagement.segment is Segment.ACTIVE else ""


def with_engagement(row: ExportRow, view: RecordView, engagement: Engagement) -> ExportRow:
    """Return a row with the segment of its number, and with e-mail where the record may be written to."""
    last = engagement.last_heard
    heard = f"{last.astimezone(UTC):{_STAMP}}" if isinstance(last, datetime) else ""
    return row._replace(segment=engagement.segment.value, last_heard=heard, suggestion=EMAIL if has_email(view) else "")


def has_email(view: RecordView) -> bool:
    """Return whether a record has an e-mail address, and its mapped field does not say that it has opted out."""
    address, opt_out = view.shape.email_field, view.shape.email_opt_out_field
    if address is None or opt_out is None or not text(view.record.values.get(address)).strip():
        return False
    return text(view.record.values.get(opt_out)).strip().casefold() in _FALSE
