"""What callers are told of one number, and how that follows from what is known. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ringfence.core.clock import whole_seconds
from ringfence.core.decisions.exports import LeftOut
from ringfence.core.errors import ErrorCode
from ringfence.core.model.blocks import Block, Channel, blocked_channels
from ringfence.core.model.verdicts import CALLABLE, Facts, OptOut, Verdict
from ringfence.core.numbers import Number, Validity

NO_CONSENT = "no record that holds it is known to consent to this purpose"
LISTS_EXPIRED = "a do-not-call list of its country is expired ({lists}): import a newer one"


@dataclass(frozen=True, slots=True)
class NumberAnswer:
    """What is known of one number (docs/contract.md, section 5).

    ``number`` is E.164, None where the text is no certain number. ``callable`` is about calls, or about the channel
    that was asked for. ``suppressed`` is also true where nobody can tell, as for a text that is no certain number;
    ``channels`` is then empty. ``last_screened`` is the time of the evidence, YYYY-MM-DDTHH:MM:SSZ; None where nothing
    but rules and the ledger spoke. ``fresh`` tells that a screening now would say the same: a known answer counts
    still, or a lookup would not be bought. ``suggestion`` is a likely correction in E.164. ``queued`` tells that a paid
    check is to follow.
    """

    number: str | None
    status: str
    callable: bool
    reason: str
    line_type: str
    suppressed: bool
    channels: tuple[str, ...]
    last_screened: str | None
    fresh: bool
    suggestion: str | None = None
    queued: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the answer as JSON values."""
        return {**asdict(self), "channels": list(self.channels)}


@dataclass(frozen=True, slots=True)
class Known:
    """What an answer about a number follows from, besides its facts and its verdict.

    ``blocks`` is what blocks the keys of the number, whatever the channel. ``expired`` names the lists of its country
    that are too old. ``consents`` is False where a purpose was asked for that no consent covers. ``is_final`` tells
    that no lookup would be bought for it, whatever is known: it was erased, or no provider is configured.
    """

    blocks: Sequence[Block] = ()
    expired: Sequence[str] = ()
    consents: bool = True
    is_final: bool = False


def word_answer(facts: Facts, verdict: Verdict, known: Known, channel: Channel | None) -> NumberAnswer:
    """Return the answer about a number; without a ``channel`` it is about calls, and about blocks of any channel.

    What cannot be told fails closed: nothing is called callable that cannot be looked for on the ledger, nor while a
    list of its country is expired, nor where consent does not cover the purpose.
    """
    number = facts.number
    blocked = any(block.channel.blocks(channel or Channel.ALL) for block in known.blocks)
    may_call = verdict.status in CALLABLE and not (channel and blocked)
    if may_call and not known.consents:
        reason = f"{LeftOut.NO_CONSENT.value}: {NO_CONSENT}"
    elif may_call and known.expired:
        reason = f"{ErrorCode.LISTS_EXPIRED.value}: {LISTS_EXPIRED.format(lists=', '.join(known.expired))}"
    else:
        reason = verdict.reason
    answered = has_answer(facts)
    cannot_tell = is_uncertain(number) or bool(known.expired)

    return NumberAnswer(
        number=number.e164,
        status=verdict.status.value,
        callable=may_call and number.e164 is not None and not known.expired and known.consents,
        reason=reason,
        line_type=verdict.line_type,
        suppressed=blocked or cannot_tell,
        channels=tuple(each.value for each in blocked_channels(known.blocks)),
        last_screened=f"{whole_seconds(facts.observed_at):%Y-%m-%dT%H:%M:%SZ}" if answered else None,
        fresh=answered or not may_be_bought(facts, known),
    )


def has_answer(facts: Facts) -> bool:
    """Return whether the facts rest on somebody's answer, and not on the numbering plan or an opt-out alone."""
    return facts.opt_out is OptOut.NONE and facts.source != "offline"


def may_be_bought(facts: Facts, known: Known) -> bool:
    """Return whether a lookup is wanted for a number of which nobody has told anything yet."""
    certain = facts.number.validity is Validity.VALID and facts.opt_out is OptOut.NONE
    return certain and not known.is_final and not known.expired and known.consents and not has_answer(facts)


def is_uncertain(number: Number) -> bool:
    """Return whether a text may be a number, but nobody can tell which: it cannot be looked for on the ledger."""
    return number.e164 is None and number.validity is Validity.UNKNOWN


def blocks_of(number: Number, found: Mapping[str, Sequence[Block]]) -> list[Block]:
    """Return what blocks a number, or what its text may be read as; ``found`` is E.164 number -> its blocks."""
    return [block for key in all_keys(number) for block in found.get(key, ())]


def all_keys(number: Number) -> Collection[str]:
    """Return all keys by which a number stands on the ledger, each once."""
    return dict.fromkeys([*filter(None, [number.e164]), *number.all_e164s()])
