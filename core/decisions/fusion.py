"""What calls and messages amount to: signs about one number put together. Everything here is pure.

The finding does not depend on the order in which signs become known, and a further sign of life never makes it worse:

- Somebody who was reached shows that the line is alive, at that moment.
- What says that the line is dead counts from the last sign of life on. Of one kind of source it makes a suspicion; of
  two kinds, or of a person who was asked to settle it, the line counts as disconnected.
- So many failures in a row, over so many days, make a suspicion.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from ..model.axes import Evidence, LineState
from ..model.evidence_rules import EvidenceRules
from ..model.signals import Outcome
from ..model.signs import History, LineFinding, NumberSign, Sign, SourceKind, Suspicion

_LIFE = (Sign.ALIVE, Sign.EXISTS)
_FAILURE = (Sign.FAILED, Sign.DEAD)
_CALLED = {
    Outcome.CONNECTED: "somebody was reached",
    Outcome.DELIVERED: "a message was delivered",
    Outcome.WRONG_NUMBER: "somebody else answered a call",
    Outcome.DECEASED: "somebody else answered a call",
    Outcome.ASKED_NOT_TO_CALL: "somebody answered a call",
}


def fuse(signs: Iterable[NumberSign], rules: EvidenceRules, looked_up_at: datetime | None = None) -> History:
    """Return what the signs about one number amount to, in whatever order they come.

    ``looked_up_at`` is when a live lookup last told the state of the line: what failed before that was answered by it,
    and makes no suspicion any more.
    """
    known = sorted(set(signs))
    lives = [sign for sign in known if rules.show(sign) in _LIFE]
    last_life = lives[-1].occurred_at if lives else None

    since = [sign for sign in known if last_life is None or sign.occurred_at > last_life]
    lines = [*_find_life(known, rules), *_find_decision(known, rules), *_find_dead(since, rules)]
    open_ = [sign for sign in since if looked_up_at is None or sign.occurred_at > looked_up_at]
    return History(tuple(lines), _suspect(_after_decision(open_), rules), last_life)


def _find_life(known: Sequence[NumberSign], rules: EvidenceRules) -> list[LineFinding]:
    """Return that the line was alive when somebody was last reached on it; nothing where nobody ever was."""
    alive = [sign for sign in known if sign.kind is not SourceKind.PERSON and rules.show(sign) is Sign.ALIVE]
    if not alive:
        return []
    last = alive[-1]
    said = _CALLED.get(last.outcome, last.outcome.value.replace("_", " "))
    return [LineFinding(LineState.ACTIVE, Evidence.DELIVERY_RECEIPT, last.occurred_at, last.source, said)]


def _find_decision(known: Sequence[NumberSign], rules: EvidenceRules) -> list[LineFinding]:
    """Return what somebody has decided last; nothing where nobody has, or where a line has been alive since."""
    decided = [sign for sign in known if sign.kind is SourceKind.PERSON]
    if not decided:
        return []
    last = decided[-1]
    line = LineState.DISCONNECTED if last.outcome is Outcome.OUT_OF_SERVICE else LineState.ACTIVE
    was_alive = any(sign.occurred_at > last.occurred_at and rules.show(sign) is Sign.ALIVE for sign in known)
    if line is LineState.DISCONNECTED and was_alive:
        return []
    return [LineFinding(line, Evidence.HUMAN, last.occurred_at, last.source, "somebody has decided so")]


def _find_dead(since: Sequence[NumberSign], rules: EvidenceRules) -> list[LineFinding]:
    """Return that the line is dead, where different kinds of source say so after its last sign of life."""
    dead = [sign for sign in since if sign.kind is not SourceKind.PERSON and rules.show(sign) is Sign.DEAD]
    if len({sign.kind for sign in dead}) < rules.disconnected.kinds:
        return []
    by_whom = " and ".join(sorted({sign.source for sign in dead}))
    last = dead[-1].occurred_at
    return [LineFinding(LineState.DISCONNECTED, Evidence.DELIVERY_RECEIPT, last, by_whom, "calls and messages agree")]


def _after_decision(signs: Sequence[NumberSign]) -> Sequence[NumberSign]:
    """Return the signs that came after somebody's last decision: what was settled is suspected no more."""
    places = [place for place, sign in enumerate(signs) if sign.kind is SourceKind.PERSON]
    return signs[places[-1] + 1 :] if places else signs


def _suspect(signs: Sequence[NumberSign], rules: EvidenceRules) -> Suspicion | None:
    """Return why the number is suspected, by signs of which none shows life; None where they are too few."""
    failures = [sign for sign in signs if rules.show(sign) in _FAILURE]
    if not failures:
        return None

    first, last = failures[0].occurred_at, failures[-1].occurred_at
    in_a_row = len(failures) >= rules.suspect.failed_in_a_row
    dead = [sign for sign in failures if rules.show(sign) is Sign.DEAD]
    by_whom = ", ".join(sorted({sign.source for sign in failures}))
    if in_a_row and last - first >= timedelta(days=rules.suspect.over_days):
        said = f"{len(failures)} calls and messages in a row failed since {first:%Y-%m-%d} ({by_whom})"
        return Suspicion(last, said)
    if len(dead) >= rules.suspect.dead_signs:
        told = dead[-1]
        return Suspicion(last, f"{told.source} says out of service on {told.occurred_at:%Y-%m-%d}")
    return None
