"""The webhooks journal: what stands in it counts as what HubSpot sends, each event once, wherever reading ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from ringfence.apps.operations.journal_feed import JournalFeed
from ringfence.apps.settings import build_settings
from ringfence.apps.wiring import Wiring
from ringfence.connectors.hubspot import limits
from ringfence.core.errors import AuthenticationError, StoppedError
from ringfence.core.state import schema
from ringfence.core.state.journal_places import JournalPlace
from ringfence.core.state.store import Store
from ringfence.sandbox.server import Sandbox
from testkit.jobs import wait_until
from testkit.serve_processes import serve_process
from testkit.webhooks import add_contact, read_contact

NEXT = "GET /webhooks-journal/journal-local/2026-03/offset/{offset}/next"
Change = Callable[..., dict[str, Any]]


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Give a portal of few people."""
    monkeypatch.setattr(limits, "SEARCHES_PER_SECOND", 1_000)
    with Sandbox(contacts=5) as running:
        yield running


@pytest.fixture
def wiring(sandbox: Sandbox, tmp_path: Path) -> Wiring:
    """Give the wiring of an account that names its app."""
    given = {**sandbox.settings(), "RINGFENCE_HUBSPOT__CLIENT_ID": sandbox.hubspot.client_id}
    return Wiring(build_settings({**given, "RINGFENCE_STATE_URL": f"sqlite:///{tmp_path}/state.db"}))


@pytest.fixture
def store(wiring: Wiring) -> Iterator[Store]:
    """Give the open state."""
    opened = wiring.open_state()
    yield opened
    opened.close()


@pytest.fixture
def feed(wiring: Wiring, store: Store) -> Iterator[JournalFeed]:
    """Give a feed that reads whenever it is asked, and has begun at the journal's end."""
    made = JournalFeed(wiring, store, wiring.open_jobs(store), every=timedelta(0))
    yield made
    made.close()


@pytest.fixture
def change(sandbox: Sandbox) -> Change:
    """Give a way to word a change as the journal does."""

    def word(record: int, action: str = "UPDATE", **more: Any) -> dict[str, Any]:
        told = {
            "type": "object",
            "portalId": sandbox.hubspot.portal_id,
            "occurredAt": f"2026-11-30T12:00:{record % 60:02}Z",
            "action": action,
            "objectTypeId": "0-1",
            "objectId": record,
        }
        return told | ({"propertyChanges": {"phone": "x"}} if action == "UPDATE" else {}) | more

    return word


def test_new_entries_are_taken_in_each_once(sandbox: Sandbox, feed: JournalFeed, change: Change) -> None:
    journal = sandbox.hubspot.journal
    journal.publish(change(1))
    assert feed.read_on() == {}

    journal.publish(change(2), change(3, "CREATE"), change(4, propertyChanges={"firstname": "x"}))
    journal.publish(change(2), change(5, "DELETE"), change(6, "SNAPSHOT"), 7, change(8, portalId=1))

    assert feed.read_on() == {"woken": 3, "ignored": 2, "known": 1, "unreadable": 1}
    assert feed.read_on() == {}


def test_reading_that_was_cut_off_goes_on_where_it_was(
    sandbox: Sandbox, feed: JournalFeed, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.hubspot.journal.publish(change(1))
    feed.read_on()
    sandbox.hubspot.journal.publish(change(2))

    def die(_place: JournalPlace, _moved: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(JournalPlace, "move", die)
        with pytest.raises(KeyboardInterrupt):
            feed.read_on()

    assert feed.read_on() == {"known": 1}


def test_a_gap_is_left_to_a_sync(
    sandbox: Sandbox, feed: JournalFeed, store: Store, wiring: Wiring, change: Change
) -> None:
    journal = sandbox.hubspot.journal
    journal.publish(change(1))
    feed.read_on()
    for record in range(2, 6):
        journal.publish(change(record))
    journal.dropped = 3

    assert feed.read_on() == {}

    (job,) = wiring.open_jobs(store).list()
    assert (job.kind, job.arguments["argv"]) == ("command", ["sync", "hubspot"])
    journal.publish(change(9))
    assert feed.read_on() == {"woken": 1}


def test_of_several_processes_one_reads(sandbox: Sandbox, wiring: Wiring, store: Store, change: Change) -> None:
    jobs = wiring.open_jobs(store)
    feeds = [JournalFeed(wiring, store, jobs, every=timedelta(seconds=30)) for _ in range(2)]
    sandbox.hubspot.journal.publish(change(1))

    for feed in feeds:
        feed.read_on()
        feed.read_on()
        feed.close()

    assert sandbox.hubspot.requests["POST /oauth/v1/token"] == 1


def test_an_app_that_may_not_is_told(sandbox: Sandbox, feed: JournalFeed, change: Change) -> None:
    sandbox.hubspot.journal.publish(change(1))
    sandbox.hubspot.client_id = "another"

    with pytest.raises(AuthenticationError, match="CLIENT_ID"):
        feed.read_on()


def test_a_portal_that_is_away_is_asked_again(sandbox: Sandbox, feed: JournalFeed, change: Change) -> None:
    sandbox.hubspot.journal.publish(change(1))
    feed.read_on()
    sandbox.stop()

    with pytest.raises(StoppedError):
        feed.read_on()


@pytest.mark.slow
def test_the_service_reads_the_journal(sandbox: Sandbox, store: Store, tmp_path: Path, change: Change) -> None:
    url = f"sqlite:///{tmp_path}/state.db"
    given = {**sandbox.settings(), "RINGFENCE_HUBSPOT__CLIENT_ID": sandbox.hubspot.client_id}
    record = add_contact(sandbox, phone="+14155550132")
    sandbox.hubspot.journal.publish(change(1))

    with serve_process(url, tmp_path, **given):
        wait_until(lambda: bool(JournalPlace(store, "hubspot").read()))
    sandbox.hubspot.journal.publish(change(int(record)))
    with store.transaction() as connection:  # as if it were long ago
        connection.execute(update(schema.journal_places).values(looked_at=datetime(2026, 1, 1, tzinfo=UTC)))
    with serve_process(url, tmp_path, **given):
        wait_until(lambda: read_contact(sandbox, record).get("rf_phone_status") == "valid", 60)
