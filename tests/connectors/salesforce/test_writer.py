"""Every change ends with its own outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from ringfence.connectors.salesforce import plugin
from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.connectors.salesforce.settings import SalesforceSettings
from ringfence.connectors.salesforce.writer import TRIES
from ringfence.core.errors import AuthenticationError, QuotaError, UnreachableError
from ringfence.core.model.values import Change, FieldChange, Outcome, Record, Value
from ringfence.core.ports.services import Services
from ringfence.sandbox.fault_file import parse_faults
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox
from testkit.clock import SetClock

from ..conftest import Script

SCREENED = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
STATUS = "RF_Phone_Status__c"
REASON = "RF_Phone_Reason__c"


def change(one: str, object_name: str = "Contact", **new: Value) -> Change:
    return Change.of(object_name, one, tuple(FieldChange(name, None, value) for name, value in new.items()))


def guarded(record: Record, **new: Value) -> Change:
    fields = tuple(FieldChange(name, record.values.get(name), value) for name, value in new.items())
    guard = {name: record.values.get(name) for name in new}
    return Change.of(record.object, record.id, fields, guard=guard, modified=record.modified)


def alive(org: SalesforceOrg, object_name: str = "Contact") -> list[str]:
    rows = org.rows(object_name)
    return sorted(one for one, row in rows.items() if not row["IsDeleted"] and not row.get("IsConverted"))


def outcomes(crm: SalesforceCrm, changes: list[Change]) -> list[tuple[Outcome, str]]:
    return [(result.outcome, result.code) for result in crm.write(changes)]


def test_values_arrive_as_salesforce_keeps_them(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    one = alive(org)[0]
    org.update_as_user("Contact", one, RF_Phone_Line_Type__c="mobile")

    sent = change(
        one,
        **{STATUS: "active", REASON: "live: 東京 confirmed", "RF_Phone_Line_Type__c": None, "DoNotCall": True},
        RF_Phone_Last_Screened__c=SCREENED,
    )

    assert outcomes(crm, [sent]) == [(Outcome.WRITTEN, "")]

    (record,) = crm.fetch("Contact", [one])

    assert {name: record.values[name] for name in sent.new_values()} == sent.new_values()
    assert org.rows("Contact")[one]["RF_Phone_Last_Screened__c"] == "2026-11-20T08:30:00.000+0000"


@pytest.mark.parametrize("sandbox", [{"contacts": 1_300}], indirect=True)
def test_a_thousand_changes_of_two_objects_go_out_in_one_call(
    connect: Callable[..., SalesforceCrm], both: str, org: SalesforceOrg
) -> None:
    crm = connect(both)
    contacts, leads = alive(org), alive(org, "Lead")
    changes = [change(one, **{REASON: "x"}) for one in contacts[:750]]
    changes += [change(one, "Lead", **{REASON: "x"}) for one in leads[:250]]

    changes = changes[::2] + changes[1::2]

    assert Counter(code for code, _ in outcomes(crm, changes)) == {Outcome.WRITTEN: 1_000}
    assert crm.calls == {"write": 1}
    assert sum(row[REASON] == "x" for name in ("Contact", "Lead") for row in org.rows(name).values()) == 1_000


def test_results_are_matched_by_their_place(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    org.restrict_picklist("Contact", STATUS)
    rows = alive(org)[:9]
    org.refuse_row = lambda _object, row, _changes: (
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "call +1 415 555 0123 first") if row["Id"] == rows[2] else None
    )
    org.merge(rows[0], [rows[4]])
    org.delete("Contact", rows[6])
    changes = [change(one, **{STATUS: "valid"}) for one in [*rows, "003000000000000AAA"]]
    changes[3] = change(rows[3], **{STATUS: "perhaps"})

    results = crm.write(changes)

    assert {place: (r.outcome, r.code) for place, r in enumerate(results) if r.outcome is not Outcome.WRITTEN} == {
        2: (Outcome.REFUSED, "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
        3: (Outcome.REFUSED, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        4: (Outcome.CONFLICT, "ENTITY_IS_DELETED"),
        6: (Outcome.CONFLICT, "ENTITY_IS_DELETED"),
        9: (Outcome.REFUSED, "INVALID_CROSS_REFERENCE_KEY"),
    }
    assert results[2].message == "call +1***23 first"

    written = [one for one in rows if org.rows("Contact")[one][STATUS] == "valid"]

    assert set(rows) - set(written) <= {rows[2], rows[3], rows[4], rows[6]}


def test_a_lead_that_was_converted_meanwhile_is_a_conflict(
    connect: Callable[..., SalesforceCrm], both: str, org: SalesforceOrg
) -> None:
    one = alive(org, "Lead")[0]
    org.convert_lead(one)

    assert outcomes(connect(both), [change(one, "Lead", **{STATUS: "valid"})]) == [
        (Outcome.CONFLICT, "CANNOT_UPDATE_CONVERTED_LEAD")
    ]


@pytest.mark.parametrize("careful", [False, True])
def test_assignment_rules_never_move_an_owner(
    connect: Callable[..., SalesforceCrm], both: str, org: SalesforceOrg, careful: bool
) -> None:
    crm = connect(both)
    rows = alive(org, "Lead")[:3]

    owners = [org.rows("Lead")[one]["OwnerId"] for one in rows]

    assert org.assigned_owner_id not in owners

    records = crm.fetch("Lead", rows)

    changes = [
        guarded(record, Phone="+14155550100") if careful else change(record.id, "Lead", Phone="+14155550100")
        for record in records
    ]

    assert {code for code, _ in outcomes(crm, changes)} == {Outcome.WRITTEN}
    assert [org.rows("Lead")[one]["OwnerId"] for one in rows] == owners


def test_a_locked_row_is_tried_again_alone(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    rows = alive(org)[:5]
    seen: Counter[str] = Counter()

    def refuse(_object: str, row: Mapping[str, Any], _changes: Mapping[str, Any]) -> tuple[str, str] | None:
        seen[row["Id"]] += 1
        locked = row["Id"] == rows[1] and seen[rows[1]] < 3
        return ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record") if locked else None

    org.refuse_row = refuse

    assert {code for code, _ in outcomes(crm, [change(one, **{STATUS: "valid"}) for one in rows])} == {Outcome.WRITTEN}
    assert seen == {rows[0]: 1, rows[1]: 3, rows[2]: 1, rows[3]: 1, rows[4]: 1}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access"),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "PhoneTrigger: execution of AfterUpdate: UNABLE_TO_LOCK_ROW"),
    ],
)
def test_a_row_that_stays_locked_is_refused_in_the_end(
    crm: SalesforceCrm, org: SalesforceOrg, code: str, words: str
) -> None:
    first, second = alive(org)[:2]
    org.refuse_row = lambda _object, row, _changes: (code, words) if row["Id"] == first else None

    results = crm.write([change(one, **{STATUS: "valid"}) for one in (first, second)])

    assert [(r.outcome, r.code, r.message) for r in results] == [
        (Outcome.REFUSED, code, words),
        (Outcome.WRITTEN, "", ""),
    ]
    assert crm.calls == {"write": TRIES}


def test_a_collection_that_is_refused_whole_is_cut_up_to_its_bad_row(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    rows = alive(org)[:40]
    changes = [change(one, **{STATUS: "valid"}) for one in rows]
    changes[23] = change(rows[23], DoNotCall="perhaps")

    results = crm.write(changes)

    assert [place for place, result in enumerate(results) if result.outcome is not Outcome.WRITTEN] == [23]
    assert results[23].outcome is Outcome.REFUSED
    assert results[23].code == "JSON_PARSER_ERROR"
    assert crm.calls["write"] <= 5


def test_a_guarded_change_lands_only_on_what_was_read(crm: SalesforceCrm, org: SalesforceOrg, sandbox: Sandbox) -> None:
    rows = alive(org)[:30]
    records = {record.id: record for record in crm.fetch("Contact", rows)}
    sandbox.clock.advance(2)
    org.update_as_user("Contact", rows[3], MobilePhone="+44 20 7946 0018")
    org.delete("Contact", rows[7])
    changes = [guarded(records[one], MobilePhone="+14155550100") for one in rows]

    results = outcomes(crm, changes)

    assert results[3] == (Outcome.CONFLICT, "PRECONDITION_FAILED")
    assert results[7] == (Outcome.CONFLICT, "ENTITY_IS_DELETED")
    assert [code for place, (code, _) in enumerate(results) if place not in (3, 7)] == [Outcome.WRITTEN] * 28
    assert org.rows("Contact")[rows[3]]["MobilePhone"] == "+44 20 7946 0018"
    assert crm.calls["write"] == 3  # 25 conditional updates in a call, and a look at what was not as it was read


def test_a_guarded_change_that_landed_without_an_answer_is_written(
    crm: SalesforceCrm, org: SalesforceOrg, sandbox: Sandbox
) -> None:
    rows = alive(org)[:30]
    records = {record.id: record for record in crm.fetch("Contact", rows)}
    sandbox.clock.advance(2)
    org.update_as_user("Contact", rows[3], MobilePhone="+44 20 7946 0018")
    when, fault = "{method: POST, path: '/composite', nth: 1}", "{kind: reset, after_commit: true}"
    sandbox.faults = parse_faults(f"rules: [{{service: salesforce, when: {when}, fault: {fault}}}]", "test")
    new = {"MobilePhone": "+14155550100", STATUS: "active", REASON: None, "RF_Phone_Last_Screened__c": SCREENED}

    results = outcomes(crm, [guarded(records[one], **new, DoNotCall=True) for one in rows])

    assert results[3] == (Outcome.CONFLICT, "PRECONDITION_FAILED")
    assert [code for place, (code, _) in enumerate(results) if place != 3] == [Outcome.WRITTEN] * 29


def test_a_guard_without_a_stamp_writes_nothing(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    one = alive(org)[0]
    before = dict(org.rows("Contact")[one])

    unsafe = Change.of("Contact", one, (FieldChange("Phone", None, "+14155550100"),), guard={"Phone": None})

    assert outcomes(crm, [unsafe]) == [(Outcome.CONFLICT, "NO_STAMP")]
    assert org.rows("Contact")[one] == before


def test_an_expired_token_loses_no_precondition(
    connect: Callable[..., SalesforceCrm], org: SalesforceOrg, sandbox: Sandbox
) -> None:
    settings = {
        "login_url": sandbox.salesforce_url,
        "client_id": org.client_id,
        "client_secret": org.client_secret,
    }
    crm = connect(settings=settings)
    stale, fresh = crm.fetch("Contact", alive(org)[:2])
    sandbox.clock.advance(2)
    org.update_as_user("Contact", stale.id, MobilePhone="+44 20 7946 0018")
    org.expire_tokens()

    changes = [guarded(record, MobilePhone="+14155550100") for record in (stale, fresh)]

    assert outcomes(crm, changes) == [(Outcome.CONFLICT, "PRECONDITION_FAILED"), (Outcome.WRITTEN, "")]
    assert crm.calls["login"] == 2
    assert crm.calls["write"] == 3  # refused, sent again, and a look at what was not as it was read


def test_two_changes_of_one_record_are_applied_in_their_order(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    one = alive(org)[0]

    sent = [change(one, **{REASON: "first"}), change(one, **{REASON: "second"})]

    assert {code for code, _ in outcomes(crm, sent)} == {Outcome.WRITTEN}
    assert org.rows("Contact")[one][REASON] == "second"


def test_a_used_up_day_stops_the_run(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    org.api_limit = org.api_usage

    with pytest.raises(QuotaError, match="daily API calls"):
        crm.write([change(alive(org)[0], **{STATUS: "valid"})])

    assert crm.calls == {"write": 1}


def test_nothing_to_write_makes_no_call(crm: SalesforceCrm) -> None:
    assert crm.write([]) == []
    assert crm.calls == {}


def test_fewest_calls_are_full_pages_and_full_collections_or_jobs(crm: SalesforceCrm) -> None:
    cases = (
        (0, 0, 0),
        (4_000, 4_000, 6),
        (1, 1, 2),
        (2_001, 1_001, 4),
        (0, 1_000, 1),
        (10_000, 10_000, 15),
        (20_000, 0, 10),
    )
    large = ((20_001, 0, 3), (100_001, 0, 5), (0, 12_000, 5), (60_000, 46_000, 9), (0, 100_000, 10))

    for read, written, calls in (*cases, *large):
        assert crm.fewest_calls(read, written, full=True) == crm.fewest_calls(read, written, full=False) == calls


class TestAnswersOfNoHealthyService:
    @pytest.fixture
    def scripted(self, script: Script, clock: SetClock, shapes: Any) -> Any:
        settings = SalesforceSettings(instance_url=script.url, access_token="00D!secret")
        crm = plugin.connect(settings, shapes(), Services(clock))
        yield crm
        crm.close()

    @staticmethod
    def composite(*parts: tuple[int, Any]) -> dict[str, Any]:
        entries = [
            {"referenceId": f"r{n}", "httpStatusCode": status, "httpHeaders": {}, "body": body}
            for n, (status, body) in enumerate(parts)
        ]
        return {"compositeResponse": entries}

    @pytest.mark.parametrize(
        "results",
        [
            [],
            [{"id": "003000000000001AAA", "success": True, "errors": []}],
            [{"id": "003000000000001AAA", "success": True}, None],
            [{"id": "003000000000001AAA", "success": True}, {"id": "003000000000009AAA", "success": True}],
            [{"id": "003000000000001AAA", "success": True}, {"success": False, "errors": []}],
        ],
    )
    def test_a_row_that_the_answer_does_not_name_is_never_written(
        self, scripted: Any, script: Script, results: list[Any]
    ) -> None:
        script.says(200, self.composite((200, results)))
        changes = [change(f"00300000000000{n}AAA", **{STATUS: "valid"}) for n in (1, 2)]

        found = scripted.write(changes)

        assert [r.outcome for r in found] == [Outcome.WRITTEN if results else Outcome.REFUSED, Outcome.REFUSED]
        assert all(r.code for r in found if r.outcome is Outcome.REFUSED)

    def test_a_subrequest_without_an_answer_is_refused(self, scripted: Any, script: Script) -> None:
        script.says(200, self.composite())
        assert outcomes(scripted, [change("003000000000001AAA", **{STATUS: "valid"})]) == [
            (Outcome.REFUSED, "NO_RESULT")
        ]

    def test_a_collection_that_keeps_failing_ends_as_an_outage(self, scripted: Any, script: Script) -> None:
        fault = [{"errorCode": "SERVER_UNAVAILABLE", "message": "down for maintenance"}]
        script.says(200, self.composite((503, fault)))

        with pytest.raises(UnreachableError, match="down for maintenance"):
            scripted.write([change("003000000000001AAA", **{STATUS: "valid"})])

        assert len(script.seen) == TRIES

    def test_a_token_that_a_subrequest_refuses_is_named(self, scripted: Any, script: Script) -> None:
        fault = [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]
        script.says(200, self.composite((401, fault)))

        with pytest.raises(AuthenticationError):
            scripted.write([change("003000000000001AAA", **{STATUS: "valid"})])
