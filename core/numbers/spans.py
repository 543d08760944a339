"""Reads the first number of a text with its extension, and the further numbers behind it."""

import re
from typing import NamedTuple

from . import cell, repairs
from .cell import Span
from .cutting import cut, is_full
from .dialling import AMBIGUOUS, read_digits
from .plans import numbering_plan as plan
from .prefixes import Choice
from .values import PlanMatch, ReasonCode, Validity

MASKED = PlanMatch(Validity.INVALID, ReasonCode.MASKED)

# A complete number, and an extension behind a hyphen.
_HYPHENATED = re.compile(r"(?P<number>.*?(?P<last>\d+))-(?P<extension>\d{1,6})", re.DOTALL)
# A comma that a telephone dials as a pause has no space behind it.
_PAUSE = re.compile(r"\d,\d{1,6}$")
# More digits in front of the number than a room or a floor has: perhaps another number.
_FEW_DIGITS = 4


class Found(NamedTuple):
    """What was read in one text, before it becomes a `Number`."""

    reading: PlanMatch
    repairs: tuple[str, ...] = ()
    extension: str | None = None
    others: tuple[str, ...] = ()


def read_spans(cleaned: str, region: str | None) -> Found:
    """Read the first run of digits that is long enough for a number, with its extension and the further numbers."""
    spans, tail = cell.scan(cleaned)
    runs = cell.runs(spans)
    at = next((index for index, run in enumerate(runs) if cell.number_like(run)), 0)
    if at and runs[at][0].sign:
        return Found(MASKED)
    if (joined := _read_lines(runs, at, region)) is not None:
        return joined

    if (extended := _with_hyphen(cleaned, runs, at, region)) is not None:
        return extended
    first, *further = cut(runs[at], region)
    if first.reading.valid and sum(len(span.digits) for run in runs[:at] for span in run) > _FEW_DIGITS:
        return Found(AMBIGUOUS)
    following = runs[at + 1] if at + 1 < len(runs) else []
    if following and following[0].extension_limit():
        return _with_labelled_extension(first, further, runs[at], following, runs[at + 2 :], region)

    others, ignored = _read_others(first.reading, runs[at + 1 :], region)
    if following and following[0].glued and not others:
        return Found(AMBIGUOUS)

    extension = None
    if ignored and not others and len(runs) == at + 2 and not tail.strip(" #"):
        extension = _unlabelled_extension(first.reading, following)
    if any(map(str.isalnum, tail)) or (ignored and extension is None):
        first = Choice(first.reading, (*first.repairs, repairs.TAIL))
    return Found(first.reading, first.repairs, extension, (*_forms(further), *others))


def _with_labelled_extension(
    first: Choice,
    further: list[Choice],
    run: list[Span],
    following: list[Span],
    rest: list[list[Span]],
    region: str | None,
) -> Found:
    """Read a number with the labelled extension that follows it; `rest` holds the runs after that."""
    span, digits = following[0], following[0].digits
    others = (*_forms(further), *_read_others(first.reading, rest, region)[0])
    if span.sign and not first.reading.at_least_possible and first.reading.reason is not ReasonCode.NO_REGION:
        return Found(MASKED, others=others)
    if span.gap in ("x", "X") and _fits(run[-1], digits, region):
        return Found(AMBIGUOUS, others=others)
    if len(digits) > span.extension_limit():
        return Found(PlanMatch(Validity.INVALID, ReasonCode.TOO_LONG), others=others)
    return Found(first.reading, first.repairs, digits, others)


def _fits(span: Span, digits: str, region: str | None) -> bool:
    """Return whether an x between digits may hide one: the plan has numbers with one digit more in its place."""
    return plan.evaluate(span.plus, span.digits + "0" + digits, region).at_least_possible


def _unlabelled_extension(first: PlanMatch, following: list[Span]) -> str | None:
    if first.at_least_possible and len(following) == 1 and following[0].after_semicolon:
        return following[0].digits
    return None


def _read_others(first: PlanMatch, runs: list[list[Span]], region: str | None) -> tuple[tuple[str, ...], bool]:
    """Return the E.164 forms of the further numbers, and whether digits were left that are none."""
    forms: list[str] = []
    ignored = False
    for run in runs:
        valid = [choice for choice in cut(run, region) if choice.reading.valid]
        full = [choice for choice in valid if is_full(choice.reading, run[0].text, first, region)]
        forms.extend(_forms(full))
        ignored = ignored or not full
    return tuple(forms), ignored


def _forms(choices: list[Choice]) -> tuple[str, ...]:
    return tuple(choice.reading.e164 for choice in choices if choice.reading.e164)


def _read_lines(runs: list[list[Span]], at: int, region: str | None) -> Found | None:
    """Read two runs that only a line break parts; None where they are not one number, or surely two."""
    upper = at - 1 if at else at
    if upper + 1 >= len(runs) or "\n" not in runs[upper + 1][0].gap or runs[upper + 1][0].gap.strip():
        return None
    above, below = (" ".join(span.text for span in run) for run in runs[upper : upper + 2])
    joined = read_digits(f"{above} {below}", region)
    if not joined.reading.valid or runs[upper + 1][0].plus:
        return None

    first, second = read_digits(above, region).reading, read_digits(below, region).reading
    if first.valid and second.valid and is_full(second, below, first, region):
        return None
    if any(alone.valid and alone.e164 != joined.reading.e164 for alone in (first, second)):
        return Found(AMBIGUOUS)
    return Found(joined.reading, (*joined.repairs, repairs.LINES))


def _with_hyphen(cleaned: str, runs: list[list[Span]], at: int, region: str | None) -> Found | None:
    """Read an extension behind a hyphen or a pause, where a complete number stands in front; None where none does."""
    run = runs[at]
    paused = len(run) == 2 and _PAUSE.search(cleaned) is not None
    if len(runs) != at + 1 or not (paused or len(run) == 1):
        return None
    whole = f"{run[0].text}-{run[1].text}" if paused else run[0].text
    match = _HYPHENATED.fullmatch(whole)
    if match is None or read_digits(whole, region).reading.validity in (Validity.VALID, Validity.UNKNOWN):
        return None

    first = read_digits(match["number"], region)
    longer = len(match["extension"]) - len(match["last"])
    if not first.reading.valid or (longer > 0 and not paused):
        # 712-1914 are the groups of one number.
        return None
    if longer == 0 and not paused:
        # 555-0143-0144 may as well be the last digits of a second number.
        return Found(AMBIGUOUS)
    return Found(first.reading, first.repairs, match["extension"])
