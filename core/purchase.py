"""Asking a provider so that no answer is paid twice, whatever dies on the way.

A mark is on record from before the question goes out until its answer is kept. A mark without an answer stands for a
question that may have been billed: it is not asked again until a verdict from that day would have aged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from .clock import whole_seconds
from .errors import RingfenceError
from .ports import Answer, AnswerKind, Clock, Lookup
from .state.facts import FactStore


def failed_realm(lookup: Lookup) -> str:
    """Return where a provider's failures of this run are kept, so that they replace no answer."""
    return f"{lookup.realm}#failed"


def asked_realm(lookup: Lookup) -> str:
    """Return where marks of questions to a provider are kept."""
    return f"{lookup.realm}#asked"


def ask(store: FactStore, clock: Clock, lookup: Lookup, numbers: Sequence[str]) -> Iterator[Answer]:
    """Yield the provider's answers, each kept durably before it is used.

    An answer that was cut off after its question went out comes as LOST and stays marked. When the provider raises one
    of our errors, the numbers without an answer were not asked (see :class:`ringfence.core.ports.Lookup`).
    """
    open_marks: set[str] = set()

    def marked() -> Iterator[str]:
        for number in numbers:
            now = whole_seconds(clock.now())
            store.keep(asked_realm(lookup), [Answer(number, AnswerKind.LOST, now, paid=False)])
            open_marks.add(number)
            yield number

    try:
        for answer in lookup.look_up(marked()):
            kept = _judge(answer)
            if kept.kind is AnswerKind.FAILED:
                store.settle(failed_realm(lookup), kept, asked_realm(lookup))
            elif kept.kind is not AnswerKind.LOST:
                store.settle(lookup.realm, kept, asked_realm(lookup))
            open_marks.discard(answer.e164)
            yield kept
    except RingfenceError:
        store.forget(asked_realm(lookup), open_marks)
        raise


def _judge(answer: Answer) -> Answer:
    lost = answer.kind is AnswerKind.FAILED and answer.paid
    return replace(answer, kind=AnswerKind.LOST) if lost else answer
