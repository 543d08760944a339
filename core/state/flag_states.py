"""Whose flag it is that a row of ``opt_out_flags`` tells of, and whether it is still up."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from enum import StrEnum

from ..model.blocks import Channel
from ..model.opt_outs import OptOuts
from ..model.verdicts import OptOut


class FlagState(StrEnum):
    """Whose flag it is, and whether it is still up."""

    RAISED = "raised"  # somebody raised it: it covers the number, wherever that stands
    DERIVED = "derived"  # ringfence raised it: it silences its own record, and passes on to nobody
    INHERITED = "inherited"  # ringfence raised it, and it took over this number's opt-out from a record that is gone
    UNSETTLED = "unsettled"  # it is up since before this was kept; counts as raised until the journal was asked
    LIFTED = "lifted"  # somebody lowered it, and with it the opt-out of this number has ended here
    CLEARED = "cleared"  # ringfence raised it and somebody lowered it, which frees this record alone

    # An enum hashes its members by their names; these are looked up by what the database holds.
    __hash__ = str.__hash__


COVERING = (FlagState.RAISED.value, FlagState.INHERITED.value, FlagState.UNSETTLED.value)
"""The states in which a flag covers the number for every record that holds it."""

DERIVED = (FlagState.DERIVED.value, FlagState.INHERITED.value)
"""The states of a flag that ringfence raised, and that is up."""

UP = (*COVERING, FlagState.DERIVED.value)
"""The states of a flag that is known to be up."""


_CONSENT = "consent:"
_BESIDE = "consent-beside:"


def consent_of(object_name: str, *, beside: bool = False) -> str:
    """Return the name under which the ledger keeps the consent that records of an object tell.

    It has a line of its own there beside the record's flag: either may be up without the other, and end before it. So
    has what another record says of the same person (``beside``): neither of the two ends the other's word.
    """
    return (_BESIDE if beside else _CONSENT) + object_name


def object_of_consent(name: str) -> str:
    """Return the object whose records' consent the ledger keeps under a name; empty where it is no such name."""
    return next((name.removeprefix(each) for each in (_CONSENT, _BESIDE) if name.startswith(each)), "")


def state_of_flag(known: AbstractSet[str], said: OptOut) -> FlagState:
    """Return the state of a record's flag that is up, for numbers that no row tells of yet.

    ``known`` are the states that its rows have, and ``said`` is whose opt-out its slots name. They are asked only where
    nothing is known: then the state that knew is lost.
    """
    for state in (FlagState.RAISED, FlagState.UNSETTLED):
        if state in known:
            return state
    if not known.isdisjoint(DERIVED):
        return FlagState.DERIVED
    return FlagState.DERIVED if said is OptOut.SHARED and not known else FlagState.RAISED


Key = tuple[str, str]
ByChannel = Mapping[Key, Mapping[str, AbstractSet[str]]]
"""Record -> channel -> the states of its rows of that channel."""

_SMS = Channel.SMS.value


def is_up(states: ByChannel) -> set[Key]:
    """Return the records of which a flag is known to be up on account of every way of contact.

    Of one that is up for a channel alone, a block of another channel may have another flag to raise.
    """
    every = Channel.ALL.value
    return {key for key, channels in states.items() if not channels.get(every, frozenset()).isdisjoint(UP)}


def describe_flags(states: ByChannel) -> OptOuts:
    """Return whose the flags of the records are, and which were lowered; nothing of what covers numbers."""
    released, derived, alone, own = set(), set(), set(), set()
    asking: dict[Key, frozenset[Channel]] = {}
    for key, channels in states.items():
        muting = frozenset().union(*(known for channel, known in channels.items() if channel != _SMS))
        messages = channels.get(_SMS, frozenset())
        if muting.isdisjoint(UP) and not messages.isdisjoint(UP):
            alone.add(key)
        if not messages.isdisjoint(COVERING):
            own.add(key)

        if asked := [Channel(channel) for channel, those in channels.items() if not those.isdisjoint(COVERING)]:
            asking[key] = frozenset(asked)

        known = muting or messages
        if known.isdisjoint(UP):
            released.add(key)
        if FlagState.RAISED not in known and not known.isdisjoint(DERIVED):
            derived.add(key)
    return OptOuts(
        released=frozenset(released),
        derived=frozenset(derived),
        messages_alone=frozenset(alone),
        own_messages=frozenset(own),
        asking=asking,
    )
