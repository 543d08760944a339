"""One question to a lookup provider, and what its answer says in the words of a case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ringfence.apps.registry import lookup_plugins
from ringfence.core.model.answers import Answer
from ringfence.core.model.verdicts import judge, offline_facts, with_answer
from ringfence.core.numbers import read_number
from ringfence.core.ports.services import Services

from .clock import SetClock

ALLOCATED = "+14155550132"
"""A number that its numbering plan has; what providers say of numbers of fiction is no more than that."""


def ask(provider: str, settings: Mapping[str, Any], url: str, clock: SetClock, e164: str) -> Answer:
    """Return what the provider module makes of the answer about one number at this address."""
    plugin = lookup_plugins()[provider]
    lookup = plugin.connect(plugin.settings(**settings, base_url=url), Services(clock))
    try:
        (answer,) = lookup.look_up([e164])
    finally:
        lookup.close()
    assert isinstance(answer, Answer)
    return answer


def in_words(answer: Answer, provider: str, axes: Iterable[str]) -> dict[str, Any]:
    """Return what an answer says on some axes; the carrier by its name, a reassignment with the day asked about.

    ``status`` is what a slot has after it, were it about an allocated number.
    """
    moved = answer.reassigned
    special = {
        "carrier": answer.carrier.name if answer.carrier else None,
        "reassigned": f"{moved.answer} since {moved.since}" if moved else None,
        "status": _status(replace(answer, e164=ALLOCATED), provider),
    }
    return {axis: special[axis] if axis in special else getattr(answer, axis) for axis in axes}


def _status(answer: Answer, provider: str) -> str:
    facts = offline_facts(read_number(answer.e164, None), answer.observed_at)
    return judge(with_answer(facts, answer, provider)).status.value
