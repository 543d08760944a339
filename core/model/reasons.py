"""The reason text of a slot: "code: short sentence (repairs; other numbers)". It is worded and read back here alone.

The text is what a person reads in the CRM. It is data as well: with the local state gone, it tells which provider
answered, and what. So every sentence can be parsed again, also one that the CRM has cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from ..numbers import ReasonCode
from .blocks import Block, BlockKind, BlockSource

MAX_LENGTH = 255
"""Characters that the reason companion holds (docs/contract.md, section 2)."""

SENTENCES = {
    ReasonCode.ALLOCATED: "well formed but not confirmed to be live",
    ReasonCode.NOT_A_NUMBER: "the field holds no complete phone number",
    ReasonCode.TOO_SHORT: "digits are missing",
    ReasonCode.TOO_LONG: "there are more digits than the numbering plan allows",
    ReasonCode.BAD_COUNTRY_CODE: "no country has this calling code",
    ReasonCode.UNALLOCATED: "the length exists, but the range is not allocated",
    ReasonCode.MASKED: "digits are masked",
    ReasonCode.AMBIGUOUS: "the digits can be read as more than one number",
    ReasonCode.NO_REGION: "a national number, and no country is known",
    ReasonCode.LIVE: "{source} confirmed the line",
    ReasonCode.OUT_OF_SERVICE: "{source} says the number is no longer in service",
    ReasonCode.SUSPENDED: "{source} says the line is barred for now",
    ReasonCode.UNREACHABLE: "{source} could not reach the line",
    ReasonCode.INCONCLUSIVE: "{source} could not tell whether the line is live",
    ReasonCode.PROVIDER_INVALID: "{source} says no such number exists",
    ReasonCode.OPTED_OUT: "the opt-out flag of this record is set",
    ReasonCode.HISTORY: "{source}: it waits for a lookup or a review",
    ReasonCode.REASSIGNED: "{source} says the number has gone to another person",
    ReasonCode.WRONG_PERSON: "somebody said that the number belongs to another person: correct it on this record",
}
"""The sentence behind each code; the codes that nothing reports yet have none."""

SHARED_OPT_OUT = "another record with {number} opted out: to lift it, clear the flag on all records that hold it"
"""The sentence of an opt-out that came by the flag of another record."""

CONSENT_WITHDRAWN = (
    "consent was withdrawn on this record: to lift it, record consent there again and clear the opt-out flag"
)
"""The sentence of an opt-out that came by the record's own consent."""

BLOCK_SENTENCES = {
    BlockSource.CRM: "a record in {source} with {number} opted out: clear its flag there, or ringfence suppress lift",
    BlockSource.PERSON: "{number} is on ringfence's own list ({source}): ringfence suppress lift takes it off",
    BlockSource.SIGNAL: "{number} asked for silence ({source}): ringfence suppress lift ends it",
    BlockSource.REGISTRY: "{number} is listed in {source}: it ends once a newer list leaves it out",
}
"""The sentences of what keeps a number silent from elsewhere than the flags of the CRM; each says how it is lifted."""

KIND_WORDS = {
    BlockKind.DNC_INTERNAL: "do not call",
    BlockKind.OPTED_OUT: "opt-out",
    BlockKind.WRONG_PERSON: "wrong person",
    BlockKind.COMPLAINT: "complaint",
    BlockKind.LITIGATOR: "litigator",
    BlockKind.DNC_REGISTRY: "do-not-call register",
}
"""The kinds of blocks, as a reason names them."""

SOURCED_CODES = frozenset(code for code, sentence in SENTENCES.items() if "{source}" in sentence)
"""The codes whose sentences say who says so, or what does."""

PROVIDER_CODES = SOURCED_CODES - {ReasonCode.HISTORY}
"""The codes that a lookup provider's answer leads to; their sentences name the provider."""

_THIS_NUMBER = "this number"
_LOST = " (answer lost)"
_SINCE = re.compile(r" \(since (\d{4}-\d{2}-\d{2})\)$")
_CUT = "..."
_NAME_LENGTH = 60


class Reason(NamedTuple):
    """What a reason text says.

    ``source`` is who answered, for the codes of providers: the provider's name, and a note behind it where the answer
    was lost. ``shared`` tells that the opt-out is not the record's own, ``block`` where it lies if it is no other
    record's of this CRM, and ``source`` then names it (:func:`describe_block`). ``consent`` tells that the
    record withdrew consent, which is ``shared`` too: its flag was raised for that. ``opted_out_via`` names the other
    number that both hold, masked, with its field, and is empty where it is the slot's own. ``repairs`` are the phrases
    of :mod:`ringfence.core.numbers.repairs`; ``others`` counts the further numbers in the phone field.
    """

    code: ReasonCode
    source: str = ""
    shared: bool = False
    opted_out_via: str = ""
    repairs: tuple[str, ...] = ()
    others: int = 0
    block: BlockSource | None = None
    consent: bool = False

    @property
    def provider(self) -> str:
        """Return the name of the provider that answered, without a note; empty where none did."""
        return self.source.partition(" ")[0]

    @property
    def since(self) -> date | None:
        """Return the day since which the number has gone to another person; None where the reason names none."""
        found = _SINCE.search(self.source)
        try:
            return date.fromisoformat(found[1]) if found else None
        except ValueError:  # somebody has written into the text
            return None

    @property
    def is_answer_lost(self) -> bool:
        """Return whether the provider was asked, and its answer lost."""
        return self.source.endswith(_LOST)


class MessagesNote(StrEnum):
    """What a reason says where messages alone are forbidden, and the status is another one."""

    OWN = "opted out of sms by a flag of this record"
    SHARED = "opted out of sms elsewhere: to lift it, clear the flag where it was set, or ringfence suppress lift"


_NOTES = re.compile(rf" ?\[({'|'.join(map(re.escape, MessagesNote))})\]")


_KEPT = " [cleared by hand, and kept up until somebody decides: ringfence review list]"


def with_kept_note(text: str) -> str:
    """Return the reason of a flag that went up again after it was cleared by hand, at most 255 characters."""
    room = MAX_LENGTH - len(_KEPT)
    return (text if len(text) <= room else text[: room - len(_CUT)] + _CUT) + _KEPT


@lru_cache(maxsize=1024)  # as parse_reason()
def read_messages_note(text: str) -> MessagesNote | None:
    """Return what a reason text says of messages alone; None where it says nothing of them."""
    found = _NOTES.search(text)
    return MessagesNote(found[1]) if found else None


@lru_cache(maxsize=1024)
def with_messages_note(text: str, note: MessagesNote | None) -> str:
    """Return the reason text with this note in place of what it says of messages alone, at most 255 characters."""
    plain = _NOTES.sub("", text)
    if note is None:
        return plain
    added = f" [{note}]"
    room = MAX_LENGTH - len(added)
    return (plain if len(plain) <= room else plain[: room - len(_CUT)] + _CUT) + added


def describe_lost_answer(provider: str) -> str:
    """Return the source of a reason whose provider was asked, but whose answer was lost."""
    return provider + _LOST


def describe_block(block: Block) -> str:
    """Return how a reason names a block: the CRM, the kind of a person's entry, who sent the signal, or the list."""
    if block.source is BlockSource.CRM:
        return block.origin.partition(":")[0] or "another account"
    if block.source is BlockSource.PERSON or not block.origin.strip():
        return KIND_WORDS[block.kind]
    return " ".join("".join(filter(str.isprintable, block.origin)).split())[:_NAME_LENGTH].rstrip()


def format_reason(reason: Reason) -> str:
    """Return the text for the reason companion, at most 255 characters; a longer one ends in "...".

    Raises KeyError for a code that has no sentence.
    """
    template = SENTENCES[reason.code]
    if reason.shared:
        template = BLOCK_SENTENCES[reason.block] if reason.block else SHARED_OPT_OUT
    if reason.consent:
        template = CONSENT_WITHDRAWN
    sentence = template.format(source=reason.source, number=reason.opted_out_via or _THIS_NUMBER)

    text = f"{reason.code}: {sentence} {format_notes(reason)}".rstrip()
    return text if len(text) <= MAX_LENGTH else text[: MAX_LENGTH - len(_CUT)] + _CUT


def format_notes(reason: Reason) -> str:
    """Return the bracket that ends a reason text: its repairs and the count of other numbers; empty without any."""
    notes = list(reason.repairs)
    if reason.others:
        notes.append(f"{reason.others} other number{'s' if reason.others > 1 else ''} in the field")
    return f"({'; '.join(notes)})" if notes else ""


@lru_cache(maxsize=1024)  # a full read parses one text for every slot, and there are few different ones
def parse_reason(text: str) -> Reason | None:
    """Return what a reason text says, or None where it is none of ours: it does not begin with a code of the list.

    A text that was cut keeps what is whole: a note that may have lost its end is left out. Behind a known code, words
    that this version does not write are skipped, but for the first word of a provider's answer, which is its name.
    """
    name, _, body = _NOTES.sub("", text).replace(_KEPT, "").strip().partition(":")
    code = _CODES.get(name)
    if code is None:
        return None

    body = body.removeprefix(" ").removesuffix(_CUT)
    for wording, pattern in _PATTERNS.get(code, ()):
        if found := pattern.fullmatch(body):
            return _read_match(code, wording, found.groupdict())
    return Reason(code, source=body.partition(" ")[0] if code in PROVIDER_CODES else "")


class _Wording(NamedTuple):
    """Which of the sentences of a code it is."""

    shared: bool = False
    block: BlockSource | None = None
    consent: bool = False


def _read_match(code: ReasonCode, wording: _Wording, parts: dict[str, str | None]) -> Reason:
    repairs, others = _parse_notes(parts["notes"] or "")
    number = parts.get("number") or ""
    return Reason(
        code,
        source=parts.get("source") or "",
        shared=wording.shared,
        block=wording.block,
        consent=wording.consent,
        opted_out_via="" if number == _THIS_NUMBER else number,
        repairs=repairs,
        others=others,
    )


def _parse_notes(text: str) -> tuple[tuple[str, ...], int]:
    """Return the repairs and the count of other numbers; ``text`` begins behind the opening bracket."""
    # A repair may hold brackets itself: "dropped (0)".
    is_whole = text.endswith(")") and text.count(")") == text.count("(") + 1
    notes = text[:-1].split("; ") if is_whole else text.split("; ")[:-1]

    if notes and (counted := _OTHERS.fullmatch(notes[-1])):
        return tuple(notes[:-1]), int(counted[1])
    return tuple(notes), 0


def _compile(template: str) -> re.Pattern[str]:
    sentence = re.escape(template).replace(r"\{source\}", "(?P<source>.*?)").replace(r"\{number\}", "(?P<number>.*?)")
    return re.compile(rf"{sentence}(?: \((?P<notes>.*))?", re.DOTALL)


def _patterns(code: ReasonCode) -> Iterable[tuple[_Wording, re.Pattern[str]]]:
    yield _Wording(), _compile(SENTENCES[code])
    if code is ReasonCode.OPTED_OUT:
        yield _Wording(shared=True), _compile(SHARED_OPT_OUT)
        yield _Wording(shared=True, consent=True), _compile(CONSENT_WITHDRAWN)
        for source, sentence in BLOCK_SENTENCES.items():
            yield _Wording(shared=True, block=source), _compile(sentence)


_CODES = {code.value: code for code in ReasonCode}
_OTHERS = re.compile(r"(\d+) other numbers? in the field")
_PATTERNS = {code: tuple(_patterns(code)) for code in SENTENCES}
