"""Whose the flags of a record are that are seen up, each for its channel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from ..model.blocks import Channel, reaches
from ..model.verdicts import OptOut
from .flag_states import DERIVED, FlagState, state_of_flag
from .holdings import Holding

_SOMEBODYS = (FlagState.RAISED.value, FlagState.UNSETTLED.value)
_SAID = {OptOut.OWN: FlagState.RAISED, OptOut.SHARED: FlagState.DERIVED}


def states_of_flags(known: Mapping[str, AbstractSet[str]], holding: Holding) -> Iterable[tuple[Channel, FlagState]]:
    """Return channel and state for the numbers of a record with flags up that no row tells of yet.

    ``known`` are the states of its rows by channel. A flag that ringfence is known to have raised for a block explains
    every flag that the block reaches: those are nobody's own.
    """
    states = {Channel(channel): FlagState.DERIVED for channel, those in known.items() if not those.isdisjoint(DERIVED)}
    if not known and holding.messages is not OptOut.NONE and holding.said is OptOut.NONE:
        states[Channel.SMS] = _SAID[holding.messages]

    derived = [channel for channel, state in states.items() if state is FlagState.DERIVED]
    for channel in holding.up:
        those = known.get(channel.value, frozenset())
        explained = any(reaches(each, channel, holding.mapped) for each in derived)
        if not explained or not those.isdisjoint(_SOMEBODYS):
            states[channel] = state_of_flag(those, holding.said)
    return states.items()
