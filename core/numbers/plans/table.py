"""Tables that tell what the numbering plans say about digits, walked from digit to digit.

The first digits lead to a `Start` (the calling code, and what is cut off in front), the next ones to a `Range`. Both
are worked out from the installed metadata on first use.
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
# At most 40 MB. A hundred thousand contacts of 34 regions fill a fifth of it.
_MAX_SIZE = 50_000


@dataclass(frozen=True, slots=True)
class Start:
    """Where digits lead: the E.164 form is `head` and the digits from `drop` on; `node` goes on with the next digit.

    `plain` tells that a valid number needs no second look: the digits have a plus, or do not begin with the calling
    code of the region. `node` is None where the tables do not tell and the library has to.
    """

    head: str
    drop: int
    plain: bool
    node: Node


class Branch(dict[str, "Branch | Start"]):
    """Digits that lead to no `Start` yet: maps the next digit to the branch or start after it."""

    __slots__ = ("_digits", "_plan")

    def __init__(self, digits: Digits, plan: _Plan) -> None:
        super().__init__()
        self._digits = digits
        self._plan = plan
        _TABLE.grow()

    def __missing__(self, digit: str) -> Branch | Start:
        node = self[digit] = self._plan.grow(Digits(self._digits.known + digit, self._digits.unknown - 1))
        return node


class _Count(dict[str, "_Entry"]):
    """Numbers with one count of digits: maps the first four digits, or all of fewer, to where they lead."""

    __slots__ = ("_root",)

    def __init__(self, root: Branch | Start) -> None:
        super().__init__()
        self._root = root

    def __missing__(self, first: str) -> _Entry:
        _TABLE.grow()
        entry = self[first] = _walk(self._root, first)
        return entry


_Entry = tuple[str, int, bool, Node]
"""The fields of a `Start` with its node moved on; a `Branch` as the node where the digits lead to no start yet."""


def _walk(node: Branch | Start, digits: str) -> _Entry:
    ahead = iter(digits)
    while isinstance(node, Branch):
        digit = next(ahead, "")
        if not digit:
            return "", 0, False, node
        node = node[digit]

    found = node.node
    for digit in ahead:
        if not isinstance(found, dict):
            break
        found = found[digit]
    return node.head, node.drop, node.plain, found


class _Plan(dict[int, _Count]):
    """How one region reads digits (None: how digits after a plus are read), by their count."""

    __slots__ = ("_known", "_region")

    def __init__(self, region: str | None) -> None:
        super().__init__()
        self._region = region
        self._known: dict[tuple[str, int, bool, int], Start] = {}

    def __missing__(self, count: int) -> _Count:
        if count > _MAX_DIGITS:
            return _Count(_ASK)
        numbers = self[count] = _Count(self.grow(Digits("", count)))
        return numbers

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
    """The plans of the regions in use; `size` counts what they hold."""

    size = 0

    def __missing__(self, region: str | None) -> _Plan:
        plan = self[region] = _Plan(region)
        return plan

    def grow(self) -> None:
        """Count one more node, and empty the table when there are too many; a walk under way keeps its own nodes."""
        self.size += 1
        if self.size > _MAX_SIZE:
            self.clear()

    def clear(self) -> None:
        """Forget everything."""
        super().clear()
        self.size = 0


_TABLE = _Table()
_ASK = Start("", 0, False, None)
_refused = cache(reference.refused)


def find(region: str | None, digits: str) -> tuple[str, Range, bool]:
    """Return the E.164 form of digits, what is known about it, and whether that needs no second look if valid.

    Takes the region that reads the digits, in upper case, or None when a plus stands in front. The form is empty when
    `phonenumbers` refuses the digits; see `Start` for the second look.
    """
    head, drop, certain, node = _TABLE[region][len(digits)][digits[:4]]
    if node.__class__ is not Range:
        rest = digits[4:]
        if node.__class__ is Branch:
            head, drop, certain, node = _walk(node, rest)
        elif node.__class__ is dict:
            for digit in rest:
                node = node[digit]
                if node.__class__ is not dict:
                    break

    if node is None:
        return (*reference.ask(region, digits), False)
    return head + digits[drop:], node, certain


def _cut(head: str, digits: str) -> tuple[str, int]:
    """Return both without their common end: the text to put in front, and the count of digits to drop."""
    kept = 0
    while kept < min(len(head), len(digits)) and head[-1 - kept] == digits[-1 - kept]:
        kept += 1
    return head[: len(head) - kept], len(digits) - kept
