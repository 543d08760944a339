"""What is kept of an answer is bound to its number: nobody can give a number the answer to another one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from ringfence.core.errors import StateError
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.state import schema
from ringfence.core.state.lookup_cache import LookupCache
from ringfence.core.state.store import Store

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
LIVE, DEAD = "+14155550132", "+14155550143"


def test_the_answer_to_another_number_is_not_taken(store: Store) -> None:
    cache, table = LookupCache(store, "run"), schema.lookup_answers
    cache.keep("twilio", [Answer(number, AnswerKind.KNOWN, NOW, line="active") for number in (LIVE, DEAD)])
    keys = [store.keyring.number_key(number) for number in (LIVE, DEAD)]
    assert len(cache.find([LIVE, DEAD], ["twilio"], NOW - timedelta(days=1), NOW)) == 2

    with store.transaction() as connection:
        payload = connection.scalar(sa.select(table.c.payload).where(table.c.number_key == keys[0]))
        connection.execute(sa.update(table).where(table.c.number_key == keys[1]).values(payload=payload))

    with pytest.raises(StateError):
        cache.find([DEAD], ["twilio"], NOW - timedelta(days=1), NOW)
