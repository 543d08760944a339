"""A lift of a number for which consent was withdrawn: no flag comes down, since the next sync would raise it again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ringfence.core.model.blocks import Channel
from ringfence.core.model.consent import ConsentFields
from ringfence.core.runs.lift import LiftOrder, run_lift
from ringfence.core.state.store import Store
from ringfence.core.suppression.question import SuppressionQuestion
from testkit.clock import SetClock
from testkit.two_accounts import Accounts

NUMBER = "+14155552671"

pytestmark = pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)


def test_withdrawn_consent_is_kept_and_the_number_stays_suppressed(store: Store, clock: SetClock) -> None:
    accounts = Accounts(store, clock)
    hub = accounts.open("hub")
    hub.fields["people"].add("consent")
    consent = ConsentFields("consent", ("yes",), ("no",))
    hub.shapes = {"people": replace(hub.shapes["people"], consent=consent)}
    hub.put("people", "asks", phone=NUMBER, consent="no")
    hub.put("people", "sharer", phone=NUMBER)
    accounts.sync("hub")

    clock.advance(seconds=10)
    order = LiftOrder((NUMBER,), "", "ann@desk", "a mistake", [accounts.job("hub")])
    lifted = run_lift(order, store, clock, dry_run=False)

    assert [block.origin for block in lifted.kept] == ["hub:people:asks"]
    assert [summary.flags_lowered for summary in lifted.summaries] == [0]
    assert [accounts.said("hub", each)[0] for each in ("asks", "sharer")] == [True, True]
    assert SuppressionQuestion(store, "", clock, production=False).find_blocked([NUMBER], Channel.ALL)
