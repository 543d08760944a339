"""Every number that a cell may be read as, for a cell of which the reader could not make exactly one.

The reader says what a cell holds only where it is certain. Whoever opted out, though, must be left alone under each
number that may be meant: so here a number counts as soon as it is plausible.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from . import traps
from .dialling import read_all, typed_of
from .plans import numbering_plan as plan

# What is examined of one cell; more groups are a list of something else.
_MAX_GROUPS = 24
# An exit prefix, a calling code and a national number together; fewer digits than the least are no number.
_MOST_DIGITS, _FEWEST_DIGITS = 20, 5
# So many digits before or behind a number are a room, an hour, an extension.
_FEW_DIGITS = 5
# 1234/35, 1234-5, 1234 or 35: the last digits of a second number; behind a dash or more digits than the short tails
# have, only as many as the group before has.
_SHORT_TAIL, _DASHED_TAILS = 4, (1, 2)
_TAIL_SIGNS = frozenset(("/", "\\", "or", "oder", "ou", "o", "e", "et", "y", "und", "and", "&"))
_LONG_NUMBER = 9
# So many digits without any grouping may have a calling code in front.
_INTERNATIONAL = 11

_GROUP = re.compile(r"\d+")
_EXIT = re.compile(r"(?<!\d)(?:00|011)")
_SOFT = frozenset(" ()[].-'_~,/\\\n+")
_HARD = frozenset(",/\\\n+")
_CLOCK = r"\d{1,2}(?:[:.h]\d{2})? ?(?:am|pm|h|uhr)?"
_HOURS = re.compile(rf"24 ?/ ?7|\(? ?\b{_CLOCK} ?(?:-|to|bis|until) ?{_CLOCK}(?: ?\)|(?<=[hmr])\b)", re.IGNORECASE)


class _Group(NamedTuple):
    """Digits without anything between, and the text between the group before and this one."""

    digits: str
    gap: str

    @property
    def plus(self) -> bool:
        return self.gap.rstrip(" ([").endswith("+")

    @property
    def hard(self) -> bool:
        """True when a number may well begin here: behind text, a line break, a comma, a slash, a dash with spaces."""
        return self.plus or " - " in self.gap or not _SOFT.issuperset(self.gap) or not _HARD.isdisjoint(self.gap)

    @property
    def severed(self) -> bool:
        """True when no number goes on across the gap: text or a plus stands in it."""
        return self.plus or not _SOFT.issuperset(self.gap)


def find_readings(cleaned: str, region: str | None) -> tuple[str, ...]:
    """Return every valid number in E.164 that a cleaned text may be read as, each once."""
    if region is None and not _may_be_international(cleaned):
        return ()
    texts = [cleaned, without_hours(cleaned), traps.with_typed_letters(cleaned)]
    short = traps.without_float(cleaned)
    texts.append(short[0] if short else None)
    found = (form for text in dict.fromkeys(texts) if text for form in _Groups(text, region).find())
    return tuple(dict.fromkeys(found))


def _may_be_international(cleaned: str) -> bool:
    """Return whether a number in the text may be read without knowing the country."""
    if "+" in cleaned or _EXIT.search(cleaned):
        return True
    typed = typed_of(cleaned)
    return len(typed.digits) >= _INTERNATIONAL if typed.head == typed.digits else plan.is_calling_code(typed.head)


def without_hours(cleaned: str) -> str | None:
    """Return the text without opening hours (24/7, 9-17h), or None where there are none."""
    shortened = _HOURS.sub(" ", cleaned).strip()
    return shortened if shortened != cleaned else None


class _Groups:
    """The digit groups of one text, and the numbers that rows of neighbouring groups make."""

    def __init__(self, text: str, region: str | None) -> None:
        self._region = region
        self._groups: list[_Group] = []
        end = 0
        for match in _GROUP.finditer(text):
            if len(self._groups) == _MAX_GROUPS:
                break
            self._groups.append(_Group(match[0], text[end : match.start()]))
            end = match.end()
        self._read: dict[tuple[int, int], list[str]] = {}

    def find(self) -> Iterator[str]:
        """Yield the numbers, some of them more than once."""
        reached: set[int] = set()
        for start in range(len(self._groups)):
            for end in self._ends(start):
                forms = self._numbers(start, end) if self._may_begin(start, end, reached) else []
                if forms and self._may_end(start, end):
                    reached.add(end)
                    yield from forms
                    yield from self._shortened(forms, end)

    def _ends(self, start: int) -> Iterator[int]:
        """Yield where a number that begins with this group may end, as the index of the group behind it."""
        count = 0
        for end in range(start, len(self._groups)):
            group = self._groups[end]
            count += len(group.digits)
            if count > _MOST_DIGITS or (end > start and group.severed):
                return
            if count >= _FEWEST_DIGITS:
                yield end + 1

    def _numbers(self, start: int, end: int) -> list[str]:
        if (start, end) not in self._read:
            groups = self._groups[start:end]
            text = groups[0].digits + "".join(_within(group.gap) + group.digits for group in groups[1:])
            self._read[start, end] = read_all("+" + text if groups[0].plus else text, self._region)
        return self._read[start, end]

    def _may_begin(self, start: int, end: int, reached: set[int]) -> bool:
        """Return whether a number may begin here: at the beginning, or behind a sign, a number or a few digits."""
        group = self._groups[start]
        if start == 0 or group.plus:
            return True
        trunk = plan.trunk_prefix(self._region) if self._region else ""
        length = sum(len(each.digits) for each in self._groups[start:end])
        if trunk == "0" and not group.digits.startswith(trunk) and length < _LONG_NUMBER:
            return group.hard and "\n" in group.gap
        return group.hard or start in reached or self._may_skip(start)

    def _may_skip(self, start: int) -> bool:
        """Return whether the digits before a group are a room or a code, and not the beginning of the number."""
        first, count = self._groups[0], sum(len(each.digits) for each in self._groups[:start])
        return count < _FEW_DIGITS and not (first.plus or first.digits.startswith("0"))

    def _may_end(self, start: int, end: int) -> bool:
        """Return whether a number may end here: at the end, or before a sign, a number or a few digits."""
        if end == len(self._groups) or self._groups[end].hard:
            return True
        if self._is_tail(end) or any(self._numbers(end, at) for at in self._ends(end)):
            return True
        rest = next((at for at in range(end + 1, len(self._groups)) if self._groups[at].hard), len(self._groups))
        few = sum(len(each.digits) for each in self._groups[end:rest]) <= _FEW_DIGITS
        return few and self._is_apart(start, end) and not self._numbers(start, rest)

    def _is_apart(self, start: int, end: int) -> bool:
        """Return whether the group behind a number stands apart from it: by another sign, or the number is long."""
        inside = self._groups[start + 1 : end]
        length = sum(len(each.digits) for each in self._groups[start:end])
        return length >= _LONG_NUMBER or all(each.gap != self._groups[end].gap for each in inside)

    def _is_tail(self, at: int) -> bool:
        """Return whether a group may be the last digits of a further number: 1234/35, 65529988-65529989."""
        group, before = self._groups[at], self._groups[at - 1]
        sign, length = group.gap.strip(" ,-").casefold() or group.gap.strip(), len(group.digits)
        if sign in _TAIL_SIGNS:
            return length <= _SHORT_TAIL or length == len(before.digits)
        return sign == "-" and length in (*_DASHED_TAILS, len(before.digits))

    def _shortened(self, forms: list[str], end: int) -> Iterator[str]:
        """Yield the further numbers of which only the last digits are given."""
        for at in range(end, len(self._groups)):
            if not self._is_tail(at):
                return
            digits = self._tail_digits(at)
            others = (form[: -len(digits)] + digits for form in forms)
            yield from (other for other in others if plan.evaluate(True, other[1:], None).valid)

    def _tail_digits(self, at: int) -> str:
        """Return the digits of a tail: those of one group, or of several that repeat the groups before (555-2672)."""
        end = next((to for to in range(at + 1, len(self._groups)) if self._groups[to].hard), len(self._groups))
        before, tail = self._groups[max(0, 2 * at - end) : at], self._groups[at:end]
        alike = [len(group.digits) for group in before] == [len(group.digits) for group in tail]
        return "".join(group.digits for group in tail) if alike else tail[0].digits


def _within(gap: str) -> str:
    """Return a gap as it stands inside a number: its brackets and signs tell how the person grouped the digits."""
    return re.sub(r"[^ ()\[\].-]", " ", gap) or " "
