"""A lost answer is told as lost, whatever is read again, and its number is bought again once that is asked."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.model.answers import AnswerKind
from ringfence.core.state import schema
from ringfence.core.state.store import Store
from testkit.memory_runs import MakeProvider, Sync

E164S = ["+14155550130", "+14155550131"]
LOST = "inconclusive: first (answer lost) could not tell whether the line is live"


@pytest.mark.parametrize("state", ["kept", "gone"])
def test_a_lost_answer_stays_lost_until_it_is_asked_for_again(
    crm: MemoryCrm, sync: Sync, store: Store, make_provider: MakeProvider, state: str
) -> None:
    for i, number in enumerate(E164S):
        crm.put("people", f"p{i}", phone=number)
    provider = make_provider(says={E164S[0]: {"kind": AnswerKind.LOST}})
    sync(lookups=[provider])
    provider.says.clear()
    if state == "gone":
        for table in (schema.lookup_questions, schema.lookup_answers, schema.cursors):
            with store.transaction() as connection:
                connection.execute(delete(table))

    again = sync(lookups=[provider], rescreen=True)

    assert crm.rows["people"]["p0"]["rf_phone_reason"] == LOST
    assert (again.lookups, again.lookups_lost) == (0, 1)

    asked_for = sync(lookups=[provider], rescreen=True, retry_lost_lookups=True)

    assert [crm.rows["people"][name]["rf_phone_status"] for name in ("p0", "p1")] == ["active", "active"]
    assert (asked_for.lookups, asked_for.lookups_lost) == (1, 0)
    assert provider.asked == [*E164S, E164S[0]]
