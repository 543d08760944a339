"""The steps of a set-up, or of its removal, for a person and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from ringfence.core.ports.setup_steps import SetupStep

from .output import output


def count_steps(steps: Sequence[SetupStep]) -> str:
    """Return how many fields there are, in words: ``24 custom fields``; where there are none, how many of each kind."""
    fields = [step for step in steps if _is_field(step)]
    counts = Counter(step.kind for step in fields or steps)
    return ", ".join(f"{number} {_plural(kind, number)}" for kind, number in counts.items()) or "nothing"


def show_steps(steps: Sequence[SetupStep]) -> None:
    """Print the fields of each object with label and type, which fits 80 columns, and the rest below."""
    fields = [step for step in steps if _is_field(step)]
    for owner, group in groupby(fields, key=lambda step: step.name.partition(".")[0]):
        rows = [[step.name.partition(".")[2], step.label, step.type] for step in group]
        output.table(f"\n{owner}", ["field", "label", "type"], rows)

    rest = [step for step in steps if not _is_field(step)]
    for _, group in groupby(rest, key=_alike):
        output.say(f"  {_describe(list(group))}")


def tell_steps(verb: str, steps: Iterable[SetupStep]) -> Iterator[SetupStep]:
    """Print each step as it is done, those of one kind that say little by themselves in one line; yield all of them."""
    for _, group in groupby(steps, key=lambda step: step.name if _is_field(step) else _alike(step)):
        done = list(group)
        if went_well := [step for step in done if not step.refused]:
            output.say(f"  {verb} {_describe(went_well)}")
        for step in done:
            if step.refused:
                output.item(f"{step.kind} {step.name}: {step.refused}", mark="refused", style="red")
        yield from done


def step_document(step: SetupStep) -> dict[str, Any]:
    """Return a step as JSON; ``refused`` is there where the CRM did not do it."""
    document = {"kind": step.kind, "name": step.name, "label": step.label, "type": step.type}
    return {**document, "refused": step.refused} if step.refused else document


def _is_field(step: SetupStep) -> bool:
    return bool(step.label and step.type)


def _alike(step: SetupStep) -> tuple[str, str]:
    return step.kind, step.type


def _describe(steps: Sequence[SetupStep]) -> str:
    first = steps[0]
    more = f" ({first.type})" if first.type and not _is_field(first) else ""
    if len(steps) == 1:
        return f"{first.kind} {first.name}{more}"
    return f"{len(steps)} {_plural(first.kind, len(steps))}{more}"


def _plural(kind: str, number: int) -> str:
    if number == 1:
        return kind
    return f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
