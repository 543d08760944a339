"""Which providers are asked about a number, in which order, and what for: the routing of a policy. Everything is pure.

The numbering plan tells the line type and the region of a number. The first of these that the policy has a key for
names the providers: the line type, the region, ``default``; else all of them, in the order of the settings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..decisions.weighing import contradict
from ..errors import MappingError
from ..model.answers import Answer, AnswerKind
from ..model.axes import Axis, LineState, Ported, Reassigned
from ..model.policy import CHEAPEST, DEFAULT_ROUTE, Policy, Route
from ..numbers import Validity, read_number
from ..ports.lookup import Lookup
from ..state.kept_answers import KeptAnswer
from ..state.lookup_cache import CRM_REALM

LINE_STATE_ALONE = frozenset({Axis.LINE_STATE})

EVERYTHING = frozenset(Axis)


@dataclass(frozen=True, slots=True)
class Stop:
    """A provider on the way of a number, and those of the needed axes that it is asked for."""

    lookup: Lookup
    axes: frozenset[Axis]


@dataclass(frozen=True, slots=True)
class Routing:
    """The routing of a policy; without anything, every provider in turn until one tells the state of the line."""

    routes: Mapping[str, Route] = field(default_factory=dict)
    checks: frozenset[Axis] = LINE_STATE_ALONE
    second_opinion: bool = False

    @classmethod
    def of(cls, policy: Policy, lookups: Sequence[Lookup]) -> Routing:
        """Return the routing of a policy over these providers; raises MappingError where it names another one."""
        there = {lookup.name for lookup in lookups}
        for key, route in policy.routing.items():
            missing = [name for name in route if name not in there] if route != CHEAPEST else []
            if missing and lookups:
                raise MappingError(
                    f"The policy routes {key} to {missing[0]}, which is not among the providers in use.",
                    f"Put {missing[0]} into the list of providers, or take it out of `routing`.",
                )
        return cls(policy.routing, frozenset(policy.checks), policy.second_opinion)

    def find_way(self, e164: str, lookups: Sequence[Lookup]) -> list[Stop]:
        """Return the providers to ask about an E.164 number, each once; none where no provider covers its country.

        The first one is asked whatever it tells, the others for what the ones before have left open.
        """
        region, line_type = self._place(e164, lookups)
        covering = [each for each in lookups if not each.profile.countries or region in each.profile.countries]
        key = next((key for key in (line_type, region, DEFAULT_ROUTE) if key in self.routes), None)
        first = covering if key is None else self._choose(self.routes[key], covering)

        wanted: dict[str, set[Axis]] = {each.realm: set() for each in first[:1]}
        order = {each.realm: each for each in first}
        for axis in Axis:
            if axis in self.checks:
                asked = self._choose(self.routes[axis], covering) if axis in self.routes else first
                order |= {each.realm: each for each in asked if each.realm not in order}
                for each in asked:
                    if axis in each.profile.tells:
                        wanted.setdefault(each.realm, set()).add(axis)
        return [Stop(each, frozenset(wanted[realm])) for realm, each in order.items() if realm in wanted]

    def left_open(self, heard: Sequence[KeptAnswer]) -> frozenset[Axis]:
        """Return the axes about which a further provider is to be asked, after these answers about one number.

        A fresh verdict in a CRM is enough by itself: whoever wrote it has asked for all that was wanted. What is on
        order is waited for.
        """
        if any(each.realm.startswith(f"{CRM_REALM}:") or each.answer.kind is AnswerKind.PENDING for each in heard):
            return frozenset()
        told = frozenset[Axis]().union(*(told_by(each.answer) for each in heard))
        return (self.checks - told) | (LINE_STATE_ALONE if self._is_disputed(heard) else frozenset())

    def _is_disputed(self, heard: Sequence[KeptAnswer]) -> bool:
        """Return whether two answers contradict each other, and as many say one thing as say the other."""
        if not self.second_opinion:
            return False
        known = [each.answer for each in heard if each.answer.kind is AnswerKind.KNOWN]
        pairs = [(one, other) for place, one in enumerate(known) for other in known[place + 1 :]]
        disputed = {id(answer): answer.line for pair in pairs if contradict(*pair) for answer in pair}
        votes = Counter(disputed.values())
        return bool(votes) and len(set(votes.values())) == 1

    def _place(self, e164: str, lookups: Sequence[Lookup]) -> tuple[str, str]:
        """Return the region and the line type of a number, empty where nobody cares."""
        if not self.routes and not any(each.profile.countries for each in lookups):
            return "", ""
        number = read_number(e164, None)
        return number.region or "", number.line_type.value

    def _choose(self, route: Route, covering: Sequence[Lookup]) -> list[Lookup]:
        if route != CHEAPEST:
            by_name = {each.name: each for each in covering}
            return [by_name[name] for name in dict.fromkeys(route) if name in by_name]
        useful = [each for each in covering if self.checks & each.profile.tells]
        return sorted(useful or covering, key=_price)


def _price(lookup: Lookup) -> float:
    """Return what to compare; a provider whose price nobody has said comes last."""
    price = lookup.profile.price if lookup.price is None else lookup.price
    return float("inf") if price is None else price


def told_by(answer: Answer) -> frozenset[Axis]:
    """Return the axes that an answer tells; all of them where nobody can have the number, or somebody else has it."""
    reassigned = answer.reassigned
    gone = reassigned is not None and reassigned.answer is Reassigned.YES
    if gone or answer.validity in (Validity.INVALID, Validity.POSSIBLE) or answer.line == LineState.DISCONNECTED:
        return EVERYTHING

    tells = {
        Axis.VALIDITY: answer.validity is not Validity.UNKNOWN,
        Axis.LINE_STATE: answer.line is not None,
        Axis.LINE_TYPE: answer.line_type is not None,
        Axis.CARRIER: answer.carrier is not None,
        Axis.PORTED: answer.ported is not Ported.UNKNOWN,
        Axis.REASSIGNED: reassigned is not None and reassigned.answer is not Reassigned.NOT_CHECKED,
        Axis.RISK: answer.risk is not None,
    }
    return frozenset(axis for axis, told in tells.items() if told)
