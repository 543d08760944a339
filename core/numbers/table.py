"""What the numbering plans say about digits, found by walking from digit to digit.

The first digits lead to a `Start` (the calling code, and what is cut off in front), the next ones to a `Range`. Both
are worked out from the installed metadata when they are first asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from . import reference
from .automaton import Node
from .codes import ranges
from .heads import UnreadableError, read_head
from .metadata import region_plan
from .partial import Digits, UndecidedError
from .patterns import UnsupportedPatternError
from .ranges import Range

# Longer than an exit prefix, a calling code and a national number together.
_MAX_DIGITS = 26
# About 60 MB. All regions need a tenth for numbers as people write them; what grows without end starts anew.
_MAX_BRANCHES = 50_000


@dataclass(frozen=True, slots=True)
class Start:
    """Where digits lead: the E.164 form is `head` and the digits from `drop` on; `node` goes on with the next digit.

    `plain` says that a valid number needs no second look: the digits have a plus, or do not begin with the calling
    code of the region. `node` is None when the library has to be asked.
    """

    head: str
    drop: int
    plain: bool
    node: Node


class Branch(dict[str, "Branch | Start"]):
    """Digits that lead to no `Start` yet: from the next digit to what comes after it."""

    __slots__ = ("_digits", "_plan")

    def __init__(self, digits: Digits, plan: _Plan) -> None:
        super().__init__()
        self._digits = digits
        self._plan = plan
        _TABLE.branches += 1

    def __missing__(self, digit: str) -> Branch | Start:
        if _TABLE.branches > _MAX_BRANCHES:
            _TABLE.clear()
        node = self[digit] = self._plan.grow(Digits(self._digits.known + digit, self._digits.unknown - 1))
        return node


class _Plan(dict[int, Branch | Start]):
    """How one region reads digits (None: digits after a plus), by their count."""

    __slots__ = ("_known", "_region")

    def __init__(self, region: str | None) -> None:
        super().__init__()
        self._region = region
        self._known: dict[tuple[str, int, bool, int], Start] = {}

    def __missing__(self, count: int) -> Branch | Start:
        if count > _MAX_DIGITS:
            return _ASK
        node = self[count] = self.grow(Digits("", count))
        return node

    def grow(self, digits: Digits) -> Branch | Start:
        """Return where the digits lead, or a branch for the next one."""
        try:
            start = self._start(digits)
        except UndecidedError:
            return Branch(digits, self)
        except UnsupportedPatternError:
            return _ASK
        return self._known.setdefault((start.head, start.drop, start.plain, id(start.node)), start)

    def _start(self, digits: Digits) -> Start:
        try:
            code, national = read_head(digits, self._region)
        except UnreadableError as error:
            return Start("", len(digits), False, _refused(error.error_type))
        node = ranges(code, len(national))
        for digit in national.known:
            node = node[digit] if isinstance(node, dict) else node
        head, drop = _cut(f"{code}{national.known}", digits.known)
        return Start("+" + head, drop, self._is_plain(digits, same=not head and not drop), node)

    def _is_plain(self, digits: Digits, *, same: bool) -> bool:
        if self._region is None:
            return True
        plan = region_plan(self._region)
        if not digits.starts_with(str(plan.country_code)):
            return True
        return digits.starts_with(plan.national_prefix) if plan.national_prefix else not same


class _Table(dict[str | None, _Plan]):
    """The plan of each region that was asked for."""

    branches = 0

    def __missing__(self, region: str | None) -> _Plan:
        plan = self[region] = _Plan(region)
        return plan

    def clear(self) -> None:
        super().clear()
        self.branches = 0


_TABLE = _Table()
_ASK = Start("", 0, False, None)
_refused = cache(reference.refused)


def find(region: str | None, digits: str) -> tuple[str, Range, bool]:
    """Return the E.164 form of digits, what is known about it, and whether that needs no second look if valid.

    Takes the region that reads the digits, in upper case, or None when a plus stands in front. The form is empty when
    `phonenumbers` refuses the digits; see `Start` for the second look.
    """
    node: Node = _TABLE[region][len(digits)]
    walk = iter(digits)
    if node.__class__ is Branch:
        for digit in walk:
            node = node[digit]
            if node.__class__ is not Branch:
                break
    start = node
    node = start.node
    if node.__class__ is dict:
        for digit in walk:
            node = node[digit]
            if node.__class__ is not dict:
                break
    if node is None:
        return (*reference.ask(region, digits), False)
    return start.head + digits[start.drop :], node, start.plain


def _cut(head: str, digits: str) -> tuple[str, int]:
    """Return both without their common end: what is put in front, and the count of what is dropped."""
    kept = 0
    while kept < min(len(head), len(digits)) and head[-1 - kept] == digits[-1 - kept]:
        kept += 1
    return head[: len(head) - kept], len(digits) - kept
