"""Answers about single numbers: what is known counts, what cannot be told fails closed, each lookup is owed once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from ringfence.apps.operations.answers import Answerer, NumberAnswer, answer_number, screen_numbers
from ringfence.apps.operations.asked_checks import ASKED_CHECKS, carry_out_checks, queue_checks
from ringfence.apps.settings import build_settings
from ringfence.apps.web.door import open_web_door
from ringfence.apps.wiring import Wiring
from ringfence.connectors.spreadsheet.registers import open_list
from ringfence.core.errors import Terminated
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.blocks import BlockKind, BlockSource, Channel, NewEntry
from ringfence.core.numbers import Validity
from ringfence.core.ports.crm import Org
from ringfence.core.ports.jobs import Job, JobRun, JobState
from ringfence.core.state.asked_checks import list_asked
from ringfence.core.state.blocks import Blocks
from ringfence.core.state.cursors import register_org
from ringfence.core.state.erased import mark_erased
from ringfence.core.state.list_imports import NewVersion
from ringfence.core.state.lookup_cache import LookupCache, crm_realm
from ringfence.core.state.run_history import list_runs
from ringfence.core.state.store import Store
from ringfence.core.suppression.list_intake import ListOrder, take_in_list
from ringfence.sandbox.fault_file import parse_faults
from ringfence.sandbox.server import Sandbox
from testkit.clock import SetClock

NUMBER, OTHER, THIRD = "+12127365500", "+12127365501", "+12127365502"
ORG = Org("hubspot", "77", "Ours", production=True)


@dataclass
class Asked:
    """Whoever asks: a wiring, its open store, and an answerer that reads everything anew."""

    wiring: Wiring
    store: Store
    clock: SetClock

    @property
    def answerer(self) -> Answerer:
        return Answerer(self.wiring, self.store)

    def answer(self, text: str = NUMBER, **how: object) -> NumberAnswer:
        return answer_number(self, text, **how)  # type: ignore[arg-type] # as the test says

    def screen(self, *texts: str, purpose: str | None = None) -> list[NumberAnswer | None]:
        cells = [(text, None) for text in texts]
        return screen_numbers(self.wiring, self.store, open_web_door(), cells, purpose=purpose)

    def keep(self, realm: str, days_ago: float = 1, e164: str = NUMBER, line: str = "disconnected") -> None:
        observed_at = self.clock.now() - timedelta(days=days_ago)
        told = Answer(e164, AnswerKind.KNOWN, observed_at, Validity.VALID, line=line, code="twilio", paid=False)
        LookupCache(self.store, "earlier").keep(realm, [told])

    def left(self, *, again: bool = False) -> list[str]:
        with self.store.transaction() as connection:
            return list_asked(connection, self.store.keyring, 10, again=again)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(contacts=3) as running:
        yield running


@pytest.fixture
def asked(sandbox: Sandbox, tmp_path: Path) -> Iterator[Asked]:
    settings = {name: value for name, value in sandbox.settings().items() if "TWILIO" in name}
    settings |= {"RINGFENCE_STATE_URL": f"sqlite:///{tmp_path / 'state.db'}", "RINGFENCE_LOOKUP__MAX_PER_DAY": "50"}
    settings |= {"RINGFENCE_LOOKUP__PROVIDERS": '["twilio"]'}
    clock = SetClock()
    wiring = Wiring(build_settings(settings), clock=clock)
    with closing(wiring.open_state()) as store:
        yield Asked(wiring, store, clock)
    sandbox.faults = None


def realm_of(asked: Asked) -> str:
    (lookup,) = asked.wiring.lookups()
    lookup.close()
    return lookup.realm


def test_a_providers_answer_counts_as_long_as_the_policy_says(asked: Asked) -> None:
    asked.keep(realm_of(asked))
    known = asked.answer()
    assert (known.status, known.callable, known.fresh) == ("disconnected", False, True)
    told = asked.clock.now() - timedelta(days=1)
    assert known.last_screened == f"{told:%Y-%m-%dT%H:%M:%SZ}"

    asked.clock.advance(days=40)
    old = asked.answer()
    assert (old.status, old.callable, old.fresh, old.last_screened) == ("valid", True, False, None)


def test_fresh_verdicts_of_a_crm_count_and_are_not_bought_again(asked: Asked, sandbox: Sandbox) -> None:
    register_org(asked.store, ORG, "")
    asked.keep(crm_realm(ORG.key))

    assert (asked.answer().status, asked.answer().fresh) == ("disconnected", True)
    (screened,) = asked.screen(NUMBER)
    assert screened == replace(asked.answer(), suggestion=None)
    assert NUMBER not in sandbox.twilio.billed


def test_an_erased_number_is_judged_by_rule_and_never_bought(asked: Asked, sandbox: Sandbox) -> None:
    with asked.store.transaction() as connection:
        mark_erased(connection, asked.store.keyring, NUMBER, asked.clock.now())

    assert (asked.answer().status, asked.answer().fresh) == ("valid", True)
    assert asked.screen(NUMBER)[0] is not None
    assert NUMBER not in sandbox.twilio.billed


def test_without_a_provider_the_numbering_plan_has_the_last_word(asked: Asked) -> None:
    settings = replace(asked.wiring.settings, lookup=asked.wiring.settings.lookup.model_copy(update={"providers": []}))
    offline = Asked(replace(asked.wiring, settings=settings), asked.store, asked.clock)

    assert (offline.answer().status, offline.answer().fresh) == ("valid", True)
    assert offline.answerer.may_buy is False


def test_that_no_provider_takes_the_credentials_stands_in_the_log(
    asked: Asked, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.faults = parse_faults(REFUSING, "test")

    assert asked.screen(NUMBER) == [None]
    assert "No provider tells anything now (AuthenticationError)" in caplog.text
    assert NUMBER[2:] not in caplog.text


def test_an_opt_out_is_told_from_the_moment_that_it_is_on_the_ledger(asked: Asked) -> None:
    always = asked.answerer
    assert always.look([(NUMBER, None)])[0].answer().callable
    with asked.store.transaction() as connection:
        entry = NewEntry(NUMBER, BlockKind.OPTED_OUT, Channel.ALL, BlockSource.SIGNAL, "STOP", "x", asked.clock.now())
        Blocks(asked.store.keyring, "").add(connection, entry)

    told = always.look([(NUMBER, None)])[0].answer()
    assert (told.status, told.suppressed, told.channels, told.fresh) == ("do_not_contact", True, ("all",), True)


def test_what_may_be_a_silent_number_is_not_callable(asked: Asked) -> None:
    with asked.store.transaction() as connection:
        entry = NewEntry(OTHER, BlockKind.OPTED_OUT, Channel.ALL, BlockSource.PERSON, "asked", "x", asked.clock.now())
        Blocks(asked.store.keyring, "").add(connection, entry)

    both = asked.answer(f"{NUMBER} / {OTHER}")
    assert (both.number, both.callable, both.suppressed) == (NUMBER, False, True)


def test_same_numbers_are_bought_once_and_one_run_stands_in_the_history(asked: Asked, sandbox: Sandbox) -> None:
    first, second, third = asked.screen(OTHER, "(212) 736-5501", OTHER)

    assert first is not None
    assert first.fresh
    assert first.last_screened
    assert second is not None
    assert second.number is None
    assert third == first
    assert sandbox.twilio.billed[OTHER] == 1
    runs = [run.crm for run in list_runs(asked.store)]
    assert runs == ["screen numbers"]
    asked.screen(OTHER)
    assert len(list(list_runs(asked.store))) == 1  # nothing to buy is no run


def test_what_no_consent_covers_is_not_bought(asked: Asked, sandbox: Sandbox) -> None:
    (found,) = asked.screen(THIRD, purpose="marketing")

    assert found is not None
    assert (found.callable, found.fresh) == (False, True)
    assert found.reason.startswith("no_consent:")
    assert THIRD not in sandbox.twilio.billed


def job_run(asked: Asked, *, ends: bool = False, again: bool = False) -> JobRun:
    arguments = {"again": True} if again else {}
    job = Job("1", ASKED_CHECKS, JobState.RUNNING, "default", arguments, 1, asked.clock.now())
    return JobRun(job, lambda: ends, lambda _progress: None)


REFUSING = "rules:\n  - {service: twilio, fault: {kind: refuse, status: 401}}"
"""Twilio knows the account no more."""

FAILING = "rules:\n  - {service: twilio, fault: {kind: fail_packages, error_code: 60616}}"
"""Twilio can tell nothing right now."""


def test_a_lookup_that_fails_for_now_is_owed_and_tried_again_later(asked: Asked, sandbox: Sandbox) -> None:
    jobs = asked.wiring.open_jobs(asked.store)
    sandbox.faults = parse_faults(FAILING, "test")
    assert asked.screen(NUMBER) == [None]

    queue_checks(asked.store, jobs, asked.clock, [NUMBER, NUMBER])
    queue_checks(asked.store, jobs, asked.clock, [NUMBER])
    assert len(jobs.list()) == 1
    assert carry_out_checks(asked.wiring, job_run(asked), open_web_door()) == "0 checked, 1 left for later"
    assert (asked.left(), asked.left(again=True)) == ([], [NUMBER])
    later = [job for job in jobs.list() if job.run_at and job.run_at > asked.clock.now()]
    assert [job.run_at for job in later] == [asked.clock.now() + timedelta(seconds=60)]

    sandbox.faults = None
    assert carry_out_checks(asked.wiring, job_run(asked), open_web_door()) == "0 checked"
    assert carry_out_checks(asked.wiring, job_run(asked, again=True), open_web_door()) == "1 checked"
    assert asked.left(again=True) == []
    assert asked.answer().fresh
    assert sandbox.twilio.billed[NUMBER] == 1


def test_what_was_asked_for_long_ago_is_bought_no_more(asked: Asked, sandbox: Sandbox) -> None:
    queue_checks(asked.store, asked.wiring.open_jobs(asked.store), asked.clock, [THIRD])
    asked.clock.advance(days=2)

    assert carry_out_checks(asked.wiring, job_run(asked), open_web_door()) == "0 checked"
    assert THIRD not in sandbox.twilio.billed


def test_a_job_that_must_end_leaves_its_checks_to_the_next_one(asked: Asked) -> None:
    queue_checks(asked.store, asked.wiring.open_jobs(asked.store), asked.clock, [THIRD])

    with pytest.raises(Terminated):
        carry_out_checks(asked.wiring, job_run(asked, ends=True), open_web_door())
    assert asked.left() == [THIRD]


def test_a_job_holds_no_number(asked: Asked) -> None:
    jobs = asked.wiring.open_jobs(asked.store)
    queue_checks(asked.store, jobs, asked.clock, [THIRD])

    (job,) = jobs.list()
    assert (job.kind, dict(job.arguments)) == (ASKED_CHECKS, {})


@pytest.mark.parametrize(("expires_in", "callable_"), [(-1, False), (1, True)])
def test_while_a_list_of_its_country_is_expired_no_number_is_callable(
    asked: Asked, tmp_path: Path, sandbox: Sandbox, expires_in: int, callable_: bool
) -> None:
    now = asked.clock.now()
    file = tmp_path / "list.txt"
    file.write_text("212,7365999\r\n", encoding="ascii")
    listed = open_list(file, "US")
    expires = now + timedelta(days=expires_in)
    version = NewVersion("us-dnc", "US", Channel.ALL, now - timedelta(days=9), expires, listed.sha256(), "test")
    take_in_list(asked.store, "", asked.clock, ListOrder(version), listed.rows, lambda _done, _of: None)

    found = asked.answer(OTHER)
    assert found.callable is callable_
    assert found.suppressed is not callable_
    assert found.channels == ()
    assert found.reason.startswith("allocated:" if callable_ else "lists_expired:")
    assert asked.answer("+12127365999").status == "do_not_contact"
    before = sandbox.twilio.billed[OTHER]
    asked.screen(OTHER)
    assert (sandbox.twilio.billed[OTHER] > before) is callable_
    assert asked.answer("+442079460958").callable  # another country's
