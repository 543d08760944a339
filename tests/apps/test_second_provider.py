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


NUMBER = "+14155552671"


def test_providers_that_contradict_each_other_are_put_before_a_person(
    cli: Cli, two: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: dict[str, str] = {}
    for provider, line in (("infobip", "disconnected"), ("hlr-lookups", "active")):
        two.lookups.answers[NUMBER] = {"line": line}
        monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", f'["{provider}"]')
        said[provider] = cli("lookup", NUMBER, "--json").document["status"]
    assert said == {"infobip": "disconnected", "hlr-lookups": "active"}

    (item,) = cli("review", "list", "--json").document["items"]
    assert (item["reason"], item["deadline"]) == ("conflict", None)
    assert "hlr-lookups said active" in item["evidence"]
    assert "infobip said disconnected" in item["evidence"]

    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["hlr-lookups","infobip"]')
    told = cli("lookup", NUMBER, "--explain", "--json").document
    assert told["status"] == "disconnected"
    assert {"hlr-lookups", "infobip"} <= {each["source"] for each in told["explanation"]["evidence"]}

    assert cli("review", "resolve", str(item["id"]), "--as", "dismiss", "--note", "the line is in use").code == 0
    assert cli("review", "list", "--json").document["items"] == []
