"""``ringfence sandbox signals``: the vendors played against a service, and what is told of its answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence.apps.cli.app import run
from ringfence.apps.settings import build_settings
from ringfence.apps.wiring import Wiring
from ringfence.sandbox.signals.vendors import settings
from testkit.served import RunningService, running_service


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningService]:
    """Give a service that knows the sandbox's vendors."""
    monkeypatch.chdir(tmp_path)
    wiring = Wiring(build_settings({"RINGFENCE_STATE_URL": f"sqlite:///{tmp_path}/served.db", **settings()}))
    with running_service(wiring, works=False) as running:
        yield running


@pytest.mark.slow
def test_every_vendor_is_played_repeats_do_nothing_and_forged_ones_are_refused(
    served: RunningService, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["sandbox", "signals", "--count", "40", "--repeat", "0.5", "--forged", "0.5", "--url", served.url, "--json"]
    code = run(words)
    told = json.loads(capsys.readouterr().out)

    assert (code, told["odd"]) == (0, [])
    assert told["accepted"] == 40 + told["repeated"]
    assert told["forged_refused"] == told["forged"] > 0
    became = told["became"]
    assert sum(times for name, times in became.items() if name.endswith(" known")) == told["repeated"] > 0
    assert {"twilio blocked", "vonage blocked", "telnyx blocked", "generic blocked", "telnyx review"} <= set(became)
    acted = ("blocked", "review", "evidence")
    assert sum(times for name, times in became.items() if name.endswith(acted)) == 40


def test_a_service_that_answers_otherwise_is_told_by_exit_code_1(
    served: RunningService, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["sandbox", "signals", "--count", "10", "--repeat", "0", "--forged", "0", "--wait", "0", "--url"]
    assert run([*words, f"{served.url}/elsewhere"]) == 4  # nobody is alive there
    assert run([*words, served.url.replace("127.0.0.1", "localhost")]) == 1  # Twilio signs another address
    shown = capsys.readouterr()
    assert "/signals/twilio/inbound: 401 in place of 200 or 204" in " ".join((shown.out + shown.err).split())
