"""A number that is somebody else's on a record, in a run that several processes share."""

from __future__ import annotations

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.model.blocks import BlockKind, BlockSource, Channel, NewEntry, RecordName
from ringfence.core.state.blocks import Blocks
from ringfence.core.state.store import Store
from testkit.clock import SetClock
from testkit.divided import Divided
from testkit.memory_runs import MakeProvider
from testkit.part_workers import Threads

E164 = "+14155550132"


def test_workers_ask_the_same(
    divided: Divided, crm: MemoryCrm, store: Store, clock: SetClock, make_provider: MakeProvider
) -> None:
    for number in range(12):
        crm.put("people", f"p{number:02}", phone=f"+1 415 555 01{32 + number}")
    record = RecordName(crm.name, "people", "p00")
    kind, source = BlockKind.WRONG_PERSON, BlockSource.PERSON
    new = NewEntry(E164, kind, Channel.ALL, source, "not him", "ann@desk", clock.now(), record=record)
    with store.transaction() as connection:
        Blocks(store.keyring, "").add(connection, new)
    provider = make_provider()

    divided(4, Threads, lookups=[provider])

    assert crm.rows["people"]["p00"]["rf_phone_status"] == "wrong_person"
    assert crm.rows["people"]["p01"]["rf_phone_status"] == "active"
    assert E164 not in provider.asked
    assert divided(4, Threads, lookups=[provider]).total("written") == 0
