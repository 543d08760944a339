"""Automata over digits: many patterns of the metadata are matched at once, and decided as early as possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .patterns import DIGITS, Branches, Item, parse

States = frozenset[int]

_ANY = 0b11_1111_1111


class Automaton:
    """Several patterns in one automaton without empty moves.

    A state is a number: `digits[state]` are the digits it takes (bit n for digit n), `follow[state]` the states after
    it, `lengths[state]` how many digits may still come (bit n for n digits). The first states are final: state n takes
    no digit and means that pattern n matches.
    """

    def __init__(self, ends: int) -> None:
        self.digits = [0] * ends
        self.follow: list[States] = [frozenset()] * ends
        self.lengths = [1] * ends
        self._known: dict[tuple[int, States], int] = {}

    def add(self, pattern: str, end: int, longer: int = 0) -> States:
        """Add a pattern that ends in the final state `end`, and return its first states.

        Up to `longer` more digits may follow the pattern before its end.

        Raises UnsupportedPatternError.
        """
        last = follow = frozenset((end,))
        for _ in range(longer):
            follow = last | self._take(_ANY, follow)
        return self._alternatives(parse(pattern), follow)

    def step(self, states: States, digit: int, left: int) -> States:
        """Return the states after a digit, of those from which a pattern can end after exactly `left` more digits."""
        return frozenset(
            after
            for state in states
            if self.digits[state] >> digit & 1
            for after in self.follow[state]
            if self.lengths[after] >> left & 1
        )

    def takes_any(self, states: States) -> bool:
        """Return whether the next digit makes no difference."""
        return all(self.digits[state] == _ANY for state in states)

    def _alternatives(self, branches: Branches, follow: States) -> States:
        return frozenset().union(*(self._sequence(branch, follow) for branch in branches))

    def _sequence(self, items: list[Item], follow: States) -> States:
        for item in reversed(items):
            skip = follow
            for count in range(item.most, 0, -1):
                what = item.what
                follow = self._take(what, follow) if isinstance(what, int) else self._alternatives(what, follow)
                if count > item.least:
                    follow |= skip
        return follow

    def _take(self, digits: int, follow: States) -> States:
        key = (digits, follow)
        if key not in self._known:
            self._known[key] = len(self.digits)
            self.digits.append(digits)
            self.follow.append(follow)
            lengths = 0
            for state in follow:
                lengths |= self.lengths[state] << 1
            self.lengths.append(lengths)
        return frozenset((self._known[key],))


Node = Any
"""A finding, or a `dict` from the next digit to the node after it."""


class Graph:
    """A decision graph over digits of one length; nodes are shared, and end where the rest makes no difference.

    `finding` turns the final states that match into what a leaf holds.
    """

    def __init__(self, automaton: Automaton, finding: Callable[[States], object]) -> None:
        self._automaton = automaton
        self._finding = finding
        self._nodes: dict[tuple[States, int], Node] = {}
        self._shared: dict[tuple[int, ...], Node] = {}

    def root(self, first: States, length: int) -> Node:
        """Return the node before the first of that many digits."""
        return self._node(frozenset(state for state in first if self._automaton.lengths[state] >> length & 1), length)

    def _node(self, states: States, left: int) -> Node:
        key = (states, left)
        if key not in self._nodes:
            self._nodes[key] = self._make(states, left)
        return self._nodes[key]

    def _make(self, states: States, left: int) -> Node:
        if not left or not states:
            return self._finding(states)

        if self._automaton.takes_any(states):
            nodes = [self._next(states, 0, left)] * 10
        else:
            nodes = [self._next(states, digit, left) for digit in range(10)]
        if not isinstance(nodes[0], dict) and all(node is nodes[0] for node in nodes):
            return nodes[0]
        return self._shared.setdefault(tuple(map(id, nodes)), dict(zip(DIGITS, nodes, strict=True)))

    def _next(self, states: States, digit: int, left: int) -> Node:
        return self._node(self._automaton.step(states, digit, left - 1), left - 1)
