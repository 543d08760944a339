"""The question whether the numbers of a file may be contacted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ringfence.connectors.spreadsheet.marking import Mark, Marked, mark_file
from ringfence.connectors.spreadsheet.options import ScreenOptions
from ringfence.core.model.blocks import Block, Channel
from ringfence.core.numbers import read_number
from ringfence.core.suppression.expired_lists import ExpiredLists
from ringfence.core.suppression.question import SuppressionQuestion

from ..wiring import Wiring
from .door import Door
from .regions import home_region
from .suppression import open_question


def check_file(
    wiring: Wiring,
    file: Path,
    target: Path,
    door: Door,
    *,
    column: str | None = None,
    channel: Channel | None = None,
    region: str | None = None,
    sandbox: bool = False,
    allow_expired_lists: bool = False,
) -> Marked:
    """Mark each row of a CSV or Excel file in a new one: suppressed, unreadable or neither; return how many are what.

    Without ``channel`` any block counts. Raises what :func:`ringfence.connectors.spreadsheet.marking.mark_file` does,
    the errors of the wiring, and StoppedError where a number is met that a list of its country would have to tell of
    which is expired, unless that is allowed.
    """
    options = ScreenOptions(phones=(column,) if column else (), region=home_region(wiring, region))
    with open_question(wiring, sandbox=sandbox) as question, door.progress(f"check {file.name}") as progress:
        expired = question.find_expired_lists(allowed=allow_expired_lists) if question else ExpiredLists.none()
        judge = _Judge(question, expired, channel or Channel.ALL)
        return mark_file(file, target, options, judge.mark, progress.at)


class _Judge:
    def __init__(self, question: SuppressionQuestion | None, expired: ExpiredLists, channel: Channel) -> None:
        self._question = question
        self._expired = expired
        self._channel = channel

    def mark(self, cells: Sequence[tuple[str, str | None]]) -> list[Mark]:
        """Return for each cell whether it is suppressed, and by what."""
        numbers = [read_number(text, region) for text, region in cells]
        keys = [dict.fromkeys([*filter(None, [number.e164]), *number.covers]) for number in numbers]
        found = self._question.find({key for each in keys for key in each}) if self._question else {}

        marks: list[Mark] = []
        for number, theirs in zip(numbers, keys, strict=True):
            blocks = [block for key in theirs for block in found.get(key, ()) if block.channel.blocks(self._channel)]
            if blocks:
                marks.append(("yes", "; ".join(dict.fromkeys(map(_name, blocks)))))
                continue
            if error := self._expired.meet([number.region]):
                raise error
            marks.append(("no" if number.e164 else "unreadable", ""))
        return marks


def _name(block: Block) -> str:
    origin = f" {block.origin}" if block.origin else ""
    return f"{block.source.value}{origin}: {block.kind.value}, {block.channel.value}"
