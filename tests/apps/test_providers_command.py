"""``ringfence providers``: what each can tell, free checks, and files for a provider without an API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.core.model.answers import Answer
from ringfence.core.state.lookup_cache import LookupCache
from ringfence.sandbox.server import Sandbox

KEYS = {"name", "configured", "tells", "cannot_tell", "countries", "price", "batch", "check"}
NAMES = {
    "bandwidth",
    "clearoutphone",
    "hlr-lookups",
    "infobip",
    "itg",
    "melissa",
    "numverify",
    "trestle",
    "twilio",
    "vonage",
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(contacts=60, lookups=True) as running:
        running.hubspot.searches.limit = 1000
        yield running


@pytest.fixture(autouse=True)
def _settings(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["itg"]')
    monkeypatch.setenv("RINGFENCE_LOOKUP__MAX_PER_DAY", "100000")


def test_every_provider_says_what_it_tells_and_what_not(cli: Any, sandbox: Sandbox) -> None:
    result = cli("providers", "--json")
    found = {each["name"]: each for each in result.document["providers"]}

    assert result.code == 0
    assert found.keys() >= NAMES
    assert all(each.keys() >= KEYS for each in found.values())
    assert all(set(each["tells"]).isdisjoint(each["cannot_tell"]) for each in found.values())
    assert all(each["check"] is None for each in found.values())
    assert "line_state" in found["numverify"]["cannot_tell"]
    assert found["bandwidth"]["countries"] == ["US", "CA"]
    assert found["infobip"]["batch"] == 1000
    assert "phone" in result.document["no_phone_service"]["zerobounce"]
    assert sum(sandbox.lookups.requests.values()) == 0


def test_a_check_tries_the_credentials_and_buys_nothing(
    cli: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = cli("providers", "--check", "--json")
    said = {each["name"]: each["check"] for each in result.document["providers"]}

    assert result.code == 0
    assert said["infobip"] == said["hlr-lookups"] == "ok"
    assert said["melissa"].endswith(".")
    assert not sandbox.lookups.billed
    assert not sandbox.twilio.billed

    monkeypatch.setenv("RINGFENCE_INFOBIP__API_KEY", "not-a-key")
    refused = cli("providers", "--check", "--json")
    assert refused.code == 3
    assert "credentials" in {each["name"]: each["check"] for each in refused.document["providers"]}["infobip"]


def test_numbers_go_out_and_answers_come_back_as_files(cli: Any) -> None:
    first = cli("sync", "hubspot", "--yes", "--json")
    waiting = first.document["lookups_waiting"]["itg"]
    assert (first.code, first.document["complete"]) == (0, True)
    assert first.document["objects"]["contacts"]["deferred"] > 0

    assert cli("providers", "export", "itg", "-o", "numbers.txt", "--json").document["numbers"] == waiting
    numbers = Path("numbers.txt").read_text("utf-8").split()
    assert len(numbers) == waiting
    assert Path("numbers.txt").stat().st_mode & 0o777 == 0o600
    assert cli("providers", "export", "itg", "-o", "numbers.txt").code == 2

    words = ["Active", "empty", "suspended", "invalid segment", "hibernating"]
    rows = [f"{number.lstrip('+')};{words[place % 5]}" for place, number in enumerate(numbers)]
    Path("answers.csv").write_text(
        "\ufeffNumber;Status\n" + "\n".join([*rows, "447911123456;active", "x;active"]), "utf-8"
    )
    done = cli("providers", "import", "answers.csv", "--profile", "itg", "--json").document
    unknown = waiting // 5
    assert (done["rows"], done["taken"], done["unknown"]) == (waiting + 2, waiting - unknown, unknown)
    assert (done["not_asked"], done["unreadable"]) == (1, 1)
    assert done["unknown_values"] == {"hibernating": unknown}

    again = cli("providers", "import", "answers.csv", "--profile", "itg", "--json").document
    assert (again["taken"], again["known"], again["unknown"]) == (0, waiting - unknown, unknown)

    second = cli("sync", "hubspot", "--yes", "--json")
    assert second.code == 0
    assert second.document["lookups_waiting"] == {"itg": unknown}
    assert second.document["lookups"] == 0
    assert {"active", "disconnected", "suspended", "invalid"} <= second.document["statuses"].keys()


def test_an_import_that_is_cut_off_goes_on_where_it_was(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = cli("sync", "hubspot", "--yes", "--json").document["lookups_waiting"]["itg"]
    cli("providers", "export", "itg", "-o", "numbers.txt")
    numbers = Path("numbers.txt").read_text("utf-8").split()
    Path("answers.csv").write_text("number,status\n" + "".join(f"{each},active\n" for each in numbers), "utf-8")
    calls: list[int] = []

    def cut_off(cache: LookupCache, realm: str, answers: list[Answer]) -> None:
        calls.append(len(answers))
        if len(calls) == 3:
            raise KeyboardInterrupt
        record(cache, realm, answers)

    record = LookupCache.record_answers
    monkeypatch.setattr("ringfence.apps.operations.providers._CHUNK", 7)
    with monkeypatch.context() as patched:
        patched.setattr(LookupCache, "record_answers", cut_off)
        cli("providers", "import", "answers.csv", "--profile", "itg")
    done = cli("providers", "import", "answers.csv", "--profile", "itg", "--json").document

    assert calls == [7, 7, 7]
    assert (done["known"], done["taken"]) == (14, waiting - 14)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("phone,colour\n1,red\n", "has no column 'status'"),
        ("14155550132,active\n", "there are: ***32, active"),
        ("number,status\n" + "9" * 20_000 + ",active\n", "more than 10,000 signs"),
    ],
)
def test_a_file_that_is_none_of_answers_is_refused_with_what_is_wrong(cli: Any, content: str, said: str) -> None:
    Path("odd.csv").write_text(content, "utf-8")

    refused = cli("providers", "import", "odd.csv", "--profile", "itg")

    assert refused.code == 2
    assert said in refused.err


def test_a_customers_own_columns_and_words_are_a_file_too(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("own/profiles").mkdir(parents=True)
    Path("own/profiles/acme.yaml").write_text(
        "provider: itg\nnumber: [Rufnummer]\nstatus: [Ergebnis]\nvalues: {frei: {line_state: disconnected}}\n",
        "utf-8",
    )
    monkeypatch.setenv("RINGFENCE_MAPPINGS", "own")
    cli("sync", "hubspot", "--yes", "--json")
    cli("providers", "export", "itg", "-o", "numbers.txt")
    number = Path("numbers.txt").read_text("utf-8").split()[0]
    Path("answers.csv").write_text(f"Rufnummer\tErgebnis\n{number}\tFREI\n", "utf-8")

    done = cli("providers", "import", "answers.csv", "--profile", "acme", "--json").document

    assert (done["taken"], done["unknown_values"]) == (1, {})
    assert "did you mean 'acme'" in cli("providers", "import", "answers.csv", "--profile", "acne").err


def test_a_verdict_is_explained_by_who_said_what(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["numverify", "vonage"]')

    document = cli("lookup", "+1 415 555 0132", "--explain", "--json").document
    text = cli("lookup", "+1 415 555 0132", "--explain").out

    told = document["explanation"]
    assert set(told) == {"axes", "evidence", "rule", "would_change", "cost"}
    assert {"numbering plan", "numverify", "vonage"} <= {each["source"] for each in told["evidence"]}
    assert all(set(each) == {"source", "said", "observed_at", "strength"} for each in told["evidence"])
    assert told["axes"]["line_type"] == document["line_type"]
    assert told["cost"] == 0.0012
    assert "Why:" in text
    assert "It would change by:" in text
