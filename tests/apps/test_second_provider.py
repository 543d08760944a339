"""Two lookup providers: the second is asked about what the first cannot tell, and nothing twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ringfence.sandbox.server import Sandbox
from ringfence.sandbox.twilio.packages import line_status_of

from .conftest import Cli


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Give a sandbox that plays all providers, where Twilio is asked first and Vonage second."""
    with Sandbox(contacts=150, lookups=True) as running:
        running.hubspot.searches.limit = 1000
        running.twilio.window.limit = 10_000
        for name, value in running.settings().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["twilio","vonage"]')
        monkeypatch.setenv("RINGFENCE_LOOKUP__MAX_PER_DAY", "10000")  # agrees to what the lookups cost
        yield running


@pytest.mark.slow
def test_what_the_first_cannot_tell_is_asked_of_the_second_and_nothing_twice(cli: Cli, two: Sandbox) -> None:
    assert cli("sync", "hubspot", "--json").code == 0
    assert cli("sync", "hubspot", "--json").code == 0

    first, second = two.twilio.billed, two.lookups.billed_by("vonage")
    untold = {number for number in first if line_status_of(number) in (None, "unknown")}
    assert untold
    assert set(second) == untold
    assert set(first.values()) == set(second.values()) == {1}
