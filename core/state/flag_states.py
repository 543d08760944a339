"""Whose flag it is that a row of ``opt_out_flags`` tells of, and whether it is still up."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from enum import StrEnum

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
