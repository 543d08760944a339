"""What one signal shows of a line, as a sign."""

from __future__ import annotations

from ..model.blocks import Channel
from ..model.signals import Outcome, Signal
from ..model.signs import NumberSign, SourceKind

_OF_MESSAGES = (Outcome.DELIVERED, Outcome.UNDELIVERED, Outcome.BLOCKED)


def sign_of(signal: Signal) -> NumberSign | None:
    """Return the sign that a signal gives of a line; None where it says nothing of any call or message.

    Whoever writes a message has a line that is alive.
    """
    if signal.outcome is None:
        return _sign(signal, SourceKind.MESSAGE, Outcome.CONNECTED) if signal.said or signal.word else None
    return _sign(signal, kind_of(signal.outcome, signal.channel), signal.outcome)


def kind_of(outcome: Outcome | None, channel: Channel) -> SourceKind:
    """Return whether a call or a message ended so; without an outcome somebody wrote."""
    by_channel = {Channel.SMS: SourceKind.MESSAGE, Channel.VOICE: SourceKind.CALL}
    usual = SourceKind.MESSAGE if outcome is None or outcome in _OF_MESSAGES else SourceKind.CALL
    return usual if outcome is None else by_channel.get(channel, usual)


def _sign(signal: Signal, kind: SourceKind, outcome: Outcome) -> NumberSign:
    return NumberSign(signal.occurred_at, kind, signal.vendor, outcome, signal.code)
