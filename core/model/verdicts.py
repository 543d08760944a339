"""The facts about a number, each kind apart, and the one status that is derived from them (contract.md, section 1).

Permission is looked at first, then validity, then the state of the line. The first step that applies decides:

1. an opt-out covers the number: ``do_not_contact``
2. a provider says that the number has gone to another person: ``wrong_person``
3. the numbering plan or a provider says that no such number exists: ``invalid``
4. a lookup found the state of the line: ``disconnected``, ``suspended``, ``unreachable`` or ``active``; where it is
   only likely, if the evidence for that is as strong as the policy asks for (statistical unless it says otherwise)
5. calls and messages say that the number is probably dead: ``suspect``; this stands before ``active``
6. the numbering plan knows the number: ``valid``
7. nothing could be established: ``unknown``

Everything here is pure.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from ..numbers import LineType, Number, ReasonCode, Validity
from .answers import Answer, AnswerKind
from .axes import Evidence, LineState, Reassigned, Reassignment
from .blocks import Block
from .reasons import SOURCED_CODES, Reason, describe_block, format_reason
from .signs import Suspicion


class Status(StrEnum):
    """The statuses of a phone slot, in the order of the contract: a status wins over those below it."""

    DO_NOT_CONTACT = "do_not_contact"
    WRONG_PERSON = "wrong_person"
    INVALID = "invalid"
    DISCONNECTED = "disconnected"
    SUSPENDED = "suspended"
    UNREACHABLE = "unreachable"
    SUSPECT = "suspect"
    ACTIVE = "active"
    VALID = "valid"
    UNKNOWN = "unknown"


CALLABLE = frozenset({Status.ACTIVE, Status.VALID, Status.UNKNOWN})
"""The statuses under which a number may be called."""


STATUS_OF_LINE = {
    LineState.ACTIVE: Status.ACTIVE,
    LineState.DISCONNECTED: Status.DISCONNECTED,
    LineState.SUSPENDED: Status.SUSPENDED,
    LineState.UNREACHABLE: Status.UNREACHABLE,
}
"""The status that each certain line state amounts to, where nothing of more weight is known."""

STATUS_IF_LIKELY = {LineState.LIKELY_ACTIVE: Status.ACTIVE, LineState.LIKELY_DISCONNECTED: Status.DISCONNECTED}
"""The status that a likely line state amounts to, where the evidence for it suffices."""

LEAST_FOR_LIKELY = Evidence.STATISTICAL
"""The weakest evidence by which a likely line state counts, unless a policy says otherwise."""


class OptOut(StrEnum):
    """Whose opt-out covers the number."""

    NONE = "none"
    OWN = "own"  # the flag of the record itself
    SHARED = "shared"  # the flag of another record that holds the number, or what lies elsewhere
    CONSENT = "consent"  # the record itself tells that consent was withdrawn


class Facts(NamedTuple):
    """What is known about one number: validity, line state, line type, permission, and where that comes from.

    ``code`` is the reason code of the latest finding and ``source`` who made it: "offline", a provider or "opt-out".
    ``observed_at`` is the time of its evidence, in whole seconds UTC. ``opted_out_via`` names, masked, the other number
    of the record that an opt-out came by; empty where it came by this one. ``block`` is what covers it where no flag
    of the CRM does. ``evidence`` says how the line state is known, None where that is not on record; ``reassigned`` is
    what a provider says of a change of its owner. ``likely`` is the weakest evidence by which a likely state counts.
    ``suspicion`` tells why the number is probably dead, and ``owed`` that a lookup which would answer it is still owed.
    """

    number: Number
    validity: Validity
    line: LineState
    line_type: LineType
    opt_out: OptOut
    code: ReasonCode
    source: str
    observed_at: datetime
    opted_out_via: str = ""
    block: Block | None = None
    evidence: Evidence | None = None
    reassigned: Reassignment | None = None
    likely: Evidence = LEAST_FOR_LIKELY
    suspicion: Suspicion | None = None
    owed: bool = False


class Verdict(NamedTuple):
    """What the companions of a slot should hold; the screened value is the slot's own content."""

    status: Status
    reason: str
    e164: str | None
    line_type: str
    last_screened: datetime


def offline_facts(number: Number, now: datetime) -> Facts:
    """Return what the numbering plan alone knows about a number; ``now`` is in whole seconds UTC."""
    line, opt_out = LineState.UNKNOWN, OptOut.NONE
    return Facts(number, number.validity, line, number.line_type, opt_out, number.reason, "offline", now)


def with_answer(facts: Facts, answer: Answer, source: str) -> Facts:
    """Return the facts with a provider's answer laid over them; ``source`` is the provider's name for the reason.

    Unknown is not invalid: a failed answer changes nothing, and an inconclusive or lost one changes no fact about the
    number. It is named in the reason all the same, so that the CRM shows that the number was looked up. A line type
    that the provider does not tell stays that of the numbering plan.
    """
    if answer.kind is AnswerKind.FAILED:
        return facts

    line_type = LineType(answer.line_type) if answer.line_type else LineType.UNKNOWN
    if line_type is LineType.UNKNOWN:
        line_type = facts.line_type

    common = facts._replace(line_type=line_type, source=source, observed_at=answer.observed_at)
    if answer.kind is not AnswerKind.KNOWN:
        return common._replace(code=ReasonCode.INCONCLUSIVE)

    common = common._replace(evidence=answer.evidence, reassigned=answer.reassigned)
    line = LineState(answer.line) if answer.line else LineState.UNKNOWN
    if answer.validity in (Validity.INVALID, Validity.POSSIBLE) and not _is_of_format(answer, facts):
        common = common._replace(validity=Validity.INVALID, code=ReasonCode.PROVIDER_INVALID)
    elif (status := status_of_line(line, answer.evidence, facts.likely)) is None:
        common = common._replace(line=line, code=ReasonCode.INCONCLUSIVE)
    else:
        common = common._replace(line=line, code=_LINE_REASONS[status])
    if answer.reassigned is not None and answer.reassigned.answer is Reassigned.YES:
        said = f"{source} (since {answer.reassigned.since:%Y-%m-%d})"
        return common._replace(code=ReasonCode.REASSIGNED, source=said)
    return common


def _is_of_format(answer: Answer, facts: Facts) -> bool:
    """Return whether a provider judges by the format alone, which the numbering plan knows better."""
    return answer.evidence is Evidence.FORMAT and facts.validity is Validity.VALID


def status_of_line(line: LineState, evidence: Evidence | None, likely: Evidence = LEAST_FOR_LIKELY) -> Status | None:
    """Return the status that a line state amounts to, by how it is known; None where it says nothing.

    ``likely`` is the weakest evidence by which a likely state counts.
    """
    if line in STATUS_IF_LIKELY:
        enough = evidence is not None and evidence.strength >= likely.strength
        return STATUS_IF_LIKELY[line] if enough else None
    return STATUS_OF_LINE.get(line)


def with_suspicion(facts: Facts, suspicion: Suspicion, *, owed: bool) -> Facts:
    """Return the facts of a number that is probably dead; what is known for certain of its line stands before that."""
    suspected = facts._replace(suspicion=suspicion, owed=owed)
    if derive_status(suspected) is not Status.SUSPECT:
        return suspected
    return suspected._replace(code=ReasonCode.HISTORY, source=suspicion.said, observed_at=suspicion.since)


def with_opt_out(
    facts: Facts, opt_out: OptOut, now: datetime, opted_out_via: str = "", block: Block | None = None
) -> Facts:
    """Return the facts of a number that an opt-out covers, as seen at ``now`` in whole seconds UTC.

    ``opted_out_via`` and ``block`` are as in :class:`Facts`.
    """
    return facts._replace(
        opt_out=opt_out,
        code=ReasonCode.OPTED_OUT,
        source="opt-out",
        observed_at=now,
        opted_out_via=opted_out_via,
        block=block,
    )


def derive_status(facts: Facts) -> Status:
    """Return the one status that the facts amount to, by the order in the module's docstring."""
    line = status_of_line(facts.line, facts.evidence, facts.likely)
    return _status(facts.opt_out, facts.validity, line, facts.reassigned, suspected=facts.suspicion is not None)


def judge(facts: Facts) -> Verdict:
    """Return the verdict on the number: its status, and the reason text that explains it."""
    number, validity, line, line_type, opt_out, code, source, observed_at, opted_out_via, block, evidence, *_ = facts
    finding = (code, source, opted_out_via, block)
    status, reason = _status_and_reason(
        opt_out,
        validity,
        status_of_line(line, evidence, facts.likely),
        facts.reassigned,
        facts.suspicion is not None,
        finding,
        number.reason,
        number.repairs,
        len(number.others),
    )
    return Verdict(status, reason, number.e164, str(line_type), observed_at)


_LINE_REASONS = {
    Status.ACTIVE: ReasonCode.LIVE,
    Status.DISCONNECTED: ReasonCode.OUT_OF_SERVICE,
    Status.SUSPENDED: ReasonCode.SUSPENDED,
    Status.UNREACHABLE: ReasonCode.UNREACHABLE,
}


def _status(
    opt_out: OptOut, validity: Validity, line: Status | None, reassigned: Reassignment | None, *, suspected: bool
) -> Status:
    if opt_out is not OptOut.NONE:
        return Status.DO_NOT_CONTACT
    if reassigned is not None and reassigned.answer is Reassigned.YES:
        return Status.WRONG_PERSON
    if validity is Validity.INVALID or validity is Validity.POSSIBLE:
        return Status.INVALID
    if suspected and line in (None, Status.ACTIVE):
        return Status.SUSPECT
    if line is not None:
        return line
    return Status.VALID if validity is Validity.VALID else Status.UNKNOWN


@lru_cache(maxsize=1024)  # most numbers have one of very few findings, so that their reason is worded once
def _status_and_reason(
    opt_out: OptOut,
    validity: Validity,
    line: Status | None,
    reassigned: Reassignment | None,
    suspected: bool,
    finding: tuple[ReasonCode, str, str, Block | None],
    offline_code: ReasonCode,
    repairs: tuple[str, ...],
    others: int,
) -> tuple[Status, str]:
    """Return status and reason text; ``finding`` is (code, source, ``opted_out_via``, block), as in :class:`Facts`."""
    code, source, opted_out_via, block = finding
    if opt_out is not OptOut.NONE:
        reason = Reason(
            ReasonCode.OPTED_OUT,
            source=describe_block(block) if block else "",
            shared=opt_out is not OptOut.OWN,
            opted_out_via=opted_out_via,
            repairs=repairs,
            others=others,
            block=block.source if block else None,
            consent=opt_out is OptOut.CONSENT,
        )
    elif code in SOURCED_CODES:
        reason = Reason(code, source, repairs=repairs, others=others)
    else:
        reason = Reason(offline_code, repairs=repairs, others=others)

    return _status(opt_out, validity, line, reassigned, suspected=suspected), format_reason(reason)
