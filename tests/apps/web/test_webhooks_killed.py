"""A real `ringfence serve` that is killed as soon as it has answered: what it was told of is looked at all the same."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from ringfence.sandbox.server import Sandbox
from testkit.jobs import wait_until
from testkit.serve_processes import serve_process
from testkit.webhooks import SECRET, add_contact, deliver, event, read_contact


@pytest.mark.slow
@pytest.mark.both_engines
def test_what_was_answered_is_done_after_a_kill(state_url: str, tmp_path: Path) -> None:
    with Sandbox(contacts=20) as sandbox:
        settings = {**sandbox.settings(), "RINGFENCE_HUBSPOT__CLIENT_SECRET": SECRET}
        settings.pop("RINGFENCE_STATE_URL", None)
        records = [add_contact(sandbox, phone=f"+1415555{number:04}") for number in range(120, 160)]
        deletion = event(sandbox, records[0], "contact.privacyDeletion")
        events = [event(sandbox, record) for record in records]

        with serve_process(state_url, tmp_path, **settings) as served:
            assert deliver(served.url, [*events, deletion]).status_code == 200
            served.process.send_signal(signal.SIGKILL)
            served.process.wait(20)
        assert not all(read_contact(sandbox, record).get("rf_phone_status") for record in records)

        with serve_process(state_url, tmp_path, **settings) as served:
            wait_until(
                lambda: all(read_contact(sandbox, record).get("rf_phone_status") == "valid" for record in records), 90
            )
            assert deliver(served.url, [*events, deletion]).json() == {"known": 41}
