"""What becomes of executions that wait: outages, refusals, time that runs out, erased numbers, moved stores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from ringfence.apps.operations import workflow_actions
from ringfence.apps.operations.executions import complete_executions
from ringfence.apps.operations.left_work import LeftWork
from ringfence.apps.operations.portals import Portal, Portals
from ringfence.apps.operations.workflow_actions import COMPLETE, Asked, OverloadError, WorkflowActions
from ringfence.apps.web.door import open_web_door
from ringfence.apps.wiring import Wiring
from ringfence.core.errors import AccessError, SettingsError, Terminated
from ringfence.core.ports.jobs import Job, JobEngine
from ringfence.core.state import schema
from ringfence.core.state.erased import mark_erased
from ringfence.core.state.executions import forget_in_executions
from ringfence.core.state.store import Store
from ringfence.sandbox.fault_file import parse_faults
from ringfence.sandbox.server import Sandbox
from testkit.clock import SetClock
from testkit.postgres import key_of
from testkit.workflows import COMPLETE_CALL, portal_settings, wire_portal

BLOCKED = {"hs_execution_state": "BLOCK", "hs_expiration_duration": "P3D"}


class World:
    """A portal, an open store, and what a service does with them; its clock moves when a test says so."""

    def __init__(self, sandbox: Sandbox, wiring: Wiring, store: Store, clock: SetClock) -> None:
        self.sandbox, self.wiring, self.store, self.clock = sandbox, wiring, store, clock
        self.jobs: JobEngine = wiring.open_jobs(store)
        self.actions = WorkflowActions(store, self.jobs)
        self.portal_id = str(sandbox.hubspot.portal_id)
        found = Portals(wiring, store).find(self.portal_id)
        assert found is not None
        self.portal: Portal = found

    def ask(self, callback: str, phone: str = "+442079460977") -> Mapping[str, str]:
        """Let HubSpot ask about a number, and wait where it is told to."""
        asked = Asked(callback, "CONTACT", "1", phone, None, None, write_back=False, properties={})
        outputs = self.actions.screen(self.portal, asked).outputs
        if outputs == BLOCKED:
            portal = self.sandbox.hubspot
            with portal.lock:
                portal.workflows.block(callback, portal.clock.now(), timedelta(days=300))
        return outputs

    def work(self, account: str = "hubspot") -> Any:
        door = open_web_door()
        return complete_executions(self.wiring, self.jobs, self.store, account, self.portal_id, door, gathered_s=0)

    def told(self, callback: str) -> list[Mapping[str, str]]:
        return [outputs for _, outputs in self.sandbox.hubspot.workflows.waiting[callback].completions]

    def state(self, callback: str) -> str:
        table = schema.executions
        with self.store.transaction() as connection:
            return str(connection.scalar(select(table.c.state).where(table.c.callback_id == callback)))

    def jobs_waiting(self) -> list[Job]:
        return [job for job in self.jobs.list() if job.kind == COMPLETE]

    def faults(self, *rules: str) -> None:
        self.sandbox.faults = parse_faults("rules: [" + ", ".join(rules) + "]", "test") if rules else None


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Sandbox, dict[str, str]]]:
    with portal_settings("sqlite://", contacts=5) as made:
        yield made


@pytest.fixture
def world(running: tuple[Sandbox, dict[str, str]], state_url: str, clock: SetClock) -> Iterator[World]:
    sandbox, settings = running
    key = key_of(state_url)
    mine = {**settings, "RINGFENCE_STATE_URL": state_url, **({"RINGFENCE_ENCRYPTION_KEY": key} if key else {})}
    wiring = wire_portal(mine, clock=clock)
    sandbox.hubspot.workflows.waiting.clear()
    with closing(wiring.open_state()) as store:
        yield World(sandbox, wiring, store, clock)
    sandbox.faults = None
    sandbox.hubspot.scopes.add("automation")


def test_row_and_job_stand_before_the_answer_and_a_repeat_adds_none(world: World) -> None:
    assert world.ask("ap-1") == BLOCKED
    assert world.ask("ap-1") == BLOCKED
    assert world.ask("ap-2", "+442079460978") == BLOCKED

    (job,) = world.jobs_waiting()
    assert (job.queue, job.arguments) == ("hubspot", {"portal": world.portal_id})
    assert (world.state("ap-1"), world.state("ap-2")) == ("accepted", "accepted")


def test_an_outage_of_hubspot_loses_nothing_and_is_tried_again(world: World) -> None:
    world.ask("ap-1")
    path = "/automation/v4/actions/callbacks/complete"
    world.faults(f"{{service: hubspot, when: {{path: {path}}}, fault: {{kind: refuse, status: 503}}}}")

    tally = world.work()

    assert (tally.put_off, world.state("ap-1")) == (1, "answered")
    later = [job for job in world.jobs_waiting() if job.run_at is not None]
    assert [job.run_at > world.clock.now() for job in later if job.run_at] == [True]
    billed = dict(world.sandbox.twilio.billed)

    world.faults()
    assert world.work().results["completed"] == 0, "its turn has not come"
    world.clock.advance(minutes=11)
    world.work()
    assert world.state("ap-1") == "completed"
    assert len(world.told("ap-1")) == 1
    assert world.sandbox.twilio.billed == billed, "what was bought is not bought again"


def test_an_outage_of_the_provider_keeps_nobody_else_waiting(world: World) -> None:
    world.ask("ap-1")
    world.faults("{service: twilio, when: {}, fault: {kind: refuse, status: 503}}")
    world.work()
    assert world.state("ap-1") == "accepted"

    world.faults()
    world.ask("ap-2", "+442079460978")
    world.work()
    assert (world.state("ap-1"), world.state("ap-2")) == ("accepted", "completed")


def test_before_hubspot_waits_no_longer_it_is_told_what_is_known(world: World) -> None:
    world.ask("ap-1")
    world.faults("{service: twilio, when: {}, fault: {kind: refuse, status: 503}}")
    world.clock.advance(days=2, hours=23, minutes=30)

    world.work()

    (outputs,) = world.told("ap-1")
    assert (outputs["hs_execution_state"], outputs["rf_status"]) == ("FAIL_CONTINUE", "valid")
    assert (outputs["rf_callable"], outputs["rf_reason"].partition(":")[0]) == ("false", "inconclusive")
    assert world.ask("ap-1") == outputs


def test_what_hubspot_waits_for_no_longer_is_over_without_a_call(world: World) -> None:
    world.ask("ap-1")
    world.clock.advance(days=3, seconds=1)
    calls = world.sandbox.hubspot.requests[COMPLETE_CALL]

    assert world.work().results["expired"] == 1

    assert world.sandbox.hubspot.requests[COMPLETE_CALL] == calls
    assert world.state("ap-1") == "expired"


def test_a_repeat_prolongs_what_waits(world: World) -> None:
    world.ask("ap-1")
    world.clock.advance(days=2, hours=12)
    world.ask("ap-1")
    world.clock.advance(days=1)

    world.work()

    assert world.state("ap-1") == "completed"


def test_a_scope_that_is_missing_fails_the_job_and_loses_nothing(world: World) -> None:
    world.ask("ap-1")
    world.sandbox.hubspot.scopes.discard("automation")

    with pytest.raises(AccessError, match="automation"):
        world.work()

    assert world.state("ap-1") == "answered"
    assert [job for job in world.jobs_waiting() if job.run_at is not None], "it is tried again all the same"
    world.sandbox.hubspot.scopes.add("automation")
    world.clock.advance(minutes=11)
    world.work()
    assert len(world.told("ap-1")) == 1


def test_a_number_that_is_erased_while_it_waits_is_told_as_not_known(world: World) -> None:
    world.ask("ap-1")
    billed = dict(world.sandbox.twilio.billed)
    with world.store.transaction() as connection:
        mark_erased(connection, world.store.keyring, "+442079460977", world.clock.now())
        assert forget_in_executions(connection, world.store.keyring, "+442079460977") == 1

    world.work()

    (outputs,) = world.told("ap-1")
    assert (outputs["hs_execution_state"], outputs["rf_callable"], outputs["rf_e164"]) == ("FAIL_CONTINUE", "false", "")
    assert world.ask("ap-1") == outputs
    assert world.sandbox.twilio.billed == billed


def test_a_store_whose_jobs_stayed_behind_gets_a_new_one(world: World) -> None:
    world.ask("ap-1")
    if world.store.engine.dialect.name != "sqlite":
        pytest.skip("on PostgreSQL the jobs are in tables of their engine")
    with world.store.transaction() as connection:
        connection.execute(delete(schema.jobs))

    left = LeftWork(world.wiring, world.store, world.jobs, ["hubspot"])
    left.give_jobs()
    assert not world.jobs_waiting(), "what is young has its job"
    world.clock.advance(seconds=60)
    left.give_jobs()
    left.give_jobs()

    assert [job.arguments for job in world.jobs_waiting()] == [{"portal": world.portal_id}]


def test_a_job_that_must_end_waits_again(world: World) -> None:
    world.ask("ap-1")
    door = open_web_door(lambda: True)

    with pytest.raises(Terminated):
        complete_executions(world.wiring, world.jobs, world.store, "hubspot", world.portal_id, door)

    assert world.state("ap-1") == "accepted"


def test_an_account_that_is_another_portal_completes_nothing(world: World) -> None:
    world.ask("ap-1")

    with pytest.raises(SettingsError, match="is not portal 7"):
        complete_executions(world.wiring, world.jobs, world.store, "hubspot", "7", open_web_door())


def test_more_than_can_be_taken_on_is_refused_for_now(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workflow_actions, "MOST_WAITING", 1)
    world.ask("ap-1")
    world.clock.advance(seconds=3)

    with pytest.raises(OverloadError):
        world.ask("ap-2", "+442079460978")
    assert world.ask("ap-1") == BLOCKED, "what is accepted stays so"


def test_what_ended_long_ago_is_forgotten(world: World) -> None:
    world.ask("ap-1")
    world.work()
    world.clock.advance(days=31)
    world.ask("ap-2", "+442079460978")

    world.work()

    assert (world.state("ap-1"), world.state("ap-2")) == ("None", "completed")
