"""What a window of changes asks HubSpot for: everything since a moment but the echo of our own writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ringfence.core.model.shapes import ObjectShape

from .cursor import Settled
from .filters import Filter, Group, flag_groups, in_window, modified_since, not_screened_groups, silenced_groups

Part = tuple[Filter, Settled | None]
"""A part of a window, and the echo that is left out of it."""


def changed_groups(shape: ObjectShape, start_ms: int, settled: Sequence[Settled] = ()) -> list[Group]:
    """Return the groups for the records modified at or after the moment, without what is settled."""
    return [
        (part, *conditions)
        for part, echo in _parts(shape.name, start_ms, settled)
        for conditions in (not_screened_groups(shape.slots, echo.since) if echo else [()])
    ]


def opt_out_groups(
    shape: ObjectShape, start_ms: int, settled: Sequence[Settled], kinds: Mapping[str, str]
) -> list[Group]:
    """Return the groups for those of the changed records that matter for opt-outs; none without a flag.

    Their flag is up, or a slot says ``do_not_contact``, which finds those whose flag was lowered. Of the latter only
    the slot itself is asked when it was screened: that finds no fewer, and takes half the conditions.
    """
    if not shape.heard:
        return []

    groups: list[Group] = []
    for part, echo in _parts(shape.name, start_ms, settled):
        for flag in flag_groups(shape, kinds):
            conditions = not_screened_groups(shape.slots, echo.since) if echo else [()]
            groups += [(*flag, part, *each) for each in conditions]

        for slot in shape.slots:
            conditions = not_screened_groups([slot], echo.since) if echo else [()]
            groups += [(*group, part, *each) for group in silenced_groups(slot) for each in conditions]
    return groups


def _parts(object_name: str, start_ms: int, settled: Sequence[Settled]) -> Iterator[Part]:
    """Yield the window in parts: each up to where an echo is settled, and the rest, which has no end."""
    for echo in settled:
        if echo.until >= start_ms:
            yield in_window(object_name, start_ms, echo.until), echo
            start_ms = echo.until + 1
    yield modified_since(object_name, start_ms), None
