"""Chunks that are too much for the org's triggers: cut, remembered, and never cut without an end."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from ringfence.connectors.salesforce.chunks import REMEMBERED, ChunkSizes
from ringfence.connectors.salesforce.composite import Subrequest, SubrequestAnswer
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.connectors.salesforce.errors import Fault
from ringfence.connectors.salesforce.writer import CompositeWriter
from ringfence.core.model.values import Change, FieldChange, Outcome
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.salesforce.traits import SalesforceTraits
from testkit.clock import SetClock

Connect = Callable[..., SalesforceCrm]
REASON = "RF_Phone_Reason__c"
WORDS = "ContactTrigger: System.LimitException: Apex CPU time limit exceeded"


def changes(ids: Collection[str], name: str = "Contact") -> list[Change]:
    return [Change.of(name, one, (FieldChange(REASON, None, "x"),)) for one in ids]


@dataclass
class Org:
    """Answers Composite calls: ``most`` rows of an object pass together, none with one of ``heavy`` among them."""

    most: int = 200
    heavy: Collection[str] = ()
    status: int = 200
    sent: list[int] = field(default_factory=list)
    calls: int = 0

    def composite(self, subrequests: Sequence[Subrequest], _purpose: str) -> list[SubrequestAnswer]:
        self.calls += 1
        return [self._answer(each.body["records"]) for each in subrequests]

    def _answer(self, rows: Sequence[Any]) -> SubrequestAnswer:
        self.sent.append(len(rows))
        counts = Counter(row["attributes"]["type"] for row in rows)
        failing = {name for name, count in counts.items() if count > self.most}
        failing |= {row["attributes"]["type"] for row in rows if row["id"] in self.heavy}
        error = {"statusCode": "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "message": WORDS, "fields": []}
        if failing and self.status != 200:
            return SubrequestAnswer(self.status, [{"errorCode": "UNKNOWN_EXCEPTION", "message": WORDS}])
        return SubrequestAnswer(
            200,
            [
                {"success": False, "errors": [error]}
                if row["attributes"]["type"] in failing
                else {"success": True, "id": row["id"], "errors": []}
                for row in rows
            ],
        )

    def write(self, rows: Sequence[Change], sizes: ChunkSizes) -> Counter[Outcome]:
        writer = CompositeWriter(self, SetClock(), rows, sizes)  # type: ignore[arg-type]  # it needs Composite alone
        return Counter(result.outcome for result in writer.write())


@pytest.fixture
def learnt() -> dict[str, str]:
    return {}


@pytest.fixture
def sizes(learnt: dict[str, str]) -> ChunkSizes:
    return ChunkSizes(SetClock(), learnt)


IDS = [f"003{number:012d}AAA" for number in range(1_000)]


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(("most", "size"), [(199, 100), (60, 50), (7, 6), (1, 1)])
def test_rows_that_are_too_many_together_go_in_chunks_that_pass(
    sizes: ChunkSizes, learnt: dict[str, str], most: int, size: int, status: int
) -> None:
    org = Org(most, status=status)

    assert org.write(changes(IDS), sizes) == {Outcome.WRITTEN: 1_000}
    assert sizes.size("Contact") == size
    assert learnt["chunk:Contact"].split()[0] == str(size)
    assert org.calls <= 8 + math.ceil(1_000 / (5 * size)) * 2


def test_the_next_writer_begins_with_the_size_that_passed(sizes: ChunkSizes) -> None:
    org = Org(60)
    org.write(changes(IDS), sizes)
    org.sent.clear()

    org.write(changes(IDS), sizes)

    assert set(org.sent) == {50}


def test_an_object_that_takes_all_is_not_cut_with_the_other(sizes: ChunkSizes) -> None:
    leads = [f"00Q{number:012d}AAA" for number in range(100)]
    org = Org(50)

    both = org.write([*changes(IDS[:100]), *changes(leads, "Lead")[:40]], sizes)

    assert both == {Outcome.WRITTEN: 140}
    assert (sizes.size("Contact"), sizes.size("Lead")) == (50, 200)


@pytest.mark.parametrize("at", [0, 500, 999])
def test_one_record_that_is_too_much_by_itself_is_refused_alone(
    sizes: ChunkSizes, learnt: dict[str, str], at: int
) -> None:
    org = Org(heavy={IDS[at]})

    assert org.write(changes(IDS), sizes) == {Outcome.WRITTEN: 999, Outcome.REFUSED: 1}
    assert sizes.size("Contact") == 200
    assert learnt == {}
    assert org.calls < 20


def test_a_trigger_that_always_fails_is_not_asked_row_by_row(sizes: ChunkSizes, learnt: dict[str, str]) -> None:
    org = Org(most=0)

    assert org.write(changes(IDS), sizes) == {Outcome.REFUSED: 1_000}
    assert learnt == {}
    assert org.calls < 40


def test_a_size_is_remembered_for_a_while_and_then_tried_anew() -> None:
    clock, learnt = SetClock(), dict[str, str]()
    Org(60).write(changes(IDS), ChunkSizes(clock, learnt))

    clock.advance(days=REMEMBERED.days - 1)
    later = ChunkSizes(clock, learnt)
    Org(60).write(changes(IDS), later)
    clock.advance(days=1)

    assert later.size("Contact") == 50
    assert ChunkSizes(clock, learnt).size("Contact") == 200


@pytest.mark.parametrize("note", ["", "many", "0 2026-11-30", "50", "-3 2026-11-30", "50 yesterday"])
def test_what_cannot_be_read_of_an_earlier_run_is_not_believed(note: str) -> None:
    assert ChunkSizes(SetClock(), {"chunk:Contact": note}).size("Contact") == 200


def test_the_setting_caps_what_was_learnt() -> None:
    clock = SetClock()
    day = clock.now().date().isoformat()

    assert ChunkSizes(clock, {"chunk:Contact": f"90 {day}"}, most=40).size("Contact") == 40
    assert ChunkSizes(clock, {"chunk:Contact": f"20 {day}"}, most=40).size("Contact") == 20


@pytest.mark.parametrize(
    ("words", "overloaded"),
    [
        (WORDS, True),
        ("npsp:Too many query rows: 50001", True),
        ("accountTrigger: System.LimitException: Too many future calls: 51", True),
        ("We can't save this record because the “Sync” process failed. Too many SOQL queries: 101", True),
        ("Apex heap size too large: 6100000", True),
        ("Too many batch retries in the presence of Apex triggers and partial failures.", True),
        ("ContactTrigger: System.DmlException: UNABLE_TO_LOCK_ROW, Too many SOQL queries: 101", False),
        ("Too many people: call them back", False),
        ("ContactTrigger: System.NullPointerException: Attempt to de-reference a null object", False),
    ],
)
def test_limits_are_told_from_other_failures_of_triggers(words: str, overloaded: bool) -> None:
    assert Fault("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", words).overloaded is overloaded


@pytest.mark.parametrize("sandbox", [{"contacts": 300}], indirect=True)
def test_the_sandbox_refuses_a_chunk_and_takes_its_parts(connect: Connect, both: str, org: SalesforceOrg) -> None:
    org.traits = SalesforceTraits(trigger_limits={"Contact": 30})
    crm = connect(both)
    contacts, leads = sorted(org.rows("Contact")), sorted(org.rows("Lead"))

    results = crm.write([*changes(contacts), *changes(leads, "Lead")])

    assert {result.outcome for result in results} == {Outcome.WRITTEN}
    assert {row[REASON] for row in org.rows("Contact").values()} == {"x"}
    assert crm.learnt["chunk:Contact"].startswith("25 ")


@pytest.mark.parametrize("sandbox", [{"contacts": 300}], indirect=True)
def test_a_setting_keeps_chunks_small_from_the_start(connect: Connect, org: SalesforceOrg) -> None:
    org.traits = SalesforceTraits(trigger_limits={"Contact": 30})
    url, token = org.instance_url, org.access_token
    crm = connect(settings={"instance_url": url, "access_token": token, "chunk_size": 30})

    crm.write(changes(sorted(org.rows("Contact"))[:150]))

    assert crm.calls == {"write": 1}
