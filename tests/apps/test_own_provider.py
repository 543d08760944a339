"""A provider that a user has written down: the files of docs/providers.md against services that answer as they say."""

from __future__ import annotations

import csv
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from testkit.provider_server import Endless, ProviderServer, Sent, served_provider

from .conftest import Cli

PAGE = Path(__file__).parents[2] / "docs" / "providers.md"
LIVE, DEAD, ODD = "+14155552671", "+14155552672", "+14155552673"
KEY = "a-key-of-the-users-own"


@pytest.fixture
def service(cli: Cli) -> Iterator[ProviderServer]:
    with served_provider() as state:
        yield state


@pytest.fixture(autouse=True)
def _files(cli: Cli, service: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the files of the page where it says, and set what it says."""
    folder = Path("mappings/providers")
    folder.mkdir(parents=True)
    for text in re.findall(r"```yaml\n(name: .*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        name = re.match(r"name: (\S+)", text)
        assert name is not None
        (folder / f"{name[1]}.yaml").write_text(text, "utf-8")

    settings = {
        "MAPPINGS": "mappings",
        "LOOKUP__PROVIDERS": '["mylookup"]',
        "LOOKUP__MAX_PER_DAY": "1000",
        "MYLOOKUP__KEY": KEY,
        "MYLOOKUP__BASE_URL": service.url,
        "OTHERLOOKUP__USER": "ann",
        "OTHERLOOKUP__PASSWORD": KEY,
        "OTHERLOOKUP__BASE_URL": service.url,
        "MANYLOOKUP__KEY": KEY,
        "MANYLOOKUP__BASE_URL": service.url,
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"RINGFENCE_{name}", value)


def my_lookup(sent: Sent) -> tuple[Any, ...]:
    """Answer as the first file expects it."""
    url = urlsplit(sent.path)
    if (sent.method, url.path, sent.headers.get("X-Api-Key")) != ("GET", "/v1/lookup", KEY):
        return 401, {}
    (number,) = parse_qs(url.query)["number"]
    status = {LIVE: "live", DEAD: "dead"}.get(number, "asleep")
    return 200, {"valid": True, "line": {"status": status, "type": "cell"}, "carrier": {"name": "Acme"}}


def other_lookup(sent: Sent) -> tuple[Any, ...]:
    """Answer as the second file expects it: 200 to everything."""
    if sent.headers.get("Authorization") != f"Basic {b64encode(f'ann:{KEY}'.encode()).decode()}":
        return 200, {"error": {"code": "bad_key"}}
    (digits,) = sent.json["phones"]
    score = {LIVE[1:]: 88, DEAD[1:]: 12}.get(digits, 50)
    return 200, {"results": [{"score": score, "type": "wireless"}]}


def test_the_first_file_answers_one_number(cli: Cli, service: ProviderServer) -> None:
    service.answering = my_lookup

    said = cli("lookup", LIVE, "--explain", "--json").document

    assert (said["status"], said["line_type"]) == ("active", "mobile")
    assert said["explanation"]["axes"]["carrier"] == {"name": "Acme"}
    assert said["explanation"]["cost"] == 0.005
    assert cli("lookup", DEAD, "--json").document["status"] == "disconnected"
    assert len(service.sent) == 2


def test_it_screens_a_file_within_the_caps_and_asks_about_each_number_once(cli: Cli, service: ProviderServer) -> None:
    service.answering = my_lookup
    rows = [LIVE, DEAD, ODD, LIVE]
    Path("people.csv").write_text("phone\n" + "".join(f"{row}\n" for row in rows), "utf-8")

    done = cli("screen", "people.csv", "-o", "out.csv", "--lookups", "--json")

    with Path("out.csv").open(encoding="utf-8", newline="") as file:
        assert [row["rf_phone_status"] for row in csv.DictReader(file)] == ["active", "disconnected", "valid", "active"]
    assert done.document["lookups"] == 3
    assert len(service.sent) == 3


def test_the_second_file_scores_lines_and_says_what_went_wrong(
    cli: Cli, service: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.answering = other_lookup
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["otherlookup"]')

    said = [cli("lookup", number, "--json").document["status"] for number in (LIVE, DEAD, ODD)]
    assert said == ["active", "disconnected", "valid"]

    monkeypatch.setenv("RINGFENCE_OTHERLOOKUP__PASSWORD", "another")
    refused = cli("lookup", "+14155552674", "--json")
    assert refused.code == 3
    assert "another" not in refused.out + refused.err


def many_lookup(sent: Sent) -> tuple[Any, ...]:
    """Answer as the third file expects it: about all numbers at once, in an order of its own."""
    if (sent.method, sent.headers.get("Authorization")) != ("POST", f"Bearer {KEY}"):
        return 401, {}
    states = {LIVE: "live", DEAD: "dead"}
    numbers = sorted((each["number"] for each in sent.json["phones"]), reverse=True)
    return 200, {"data": {"results": [{"number": each, "status": states.get(each, "asleep")} for each in numbers]}}


def test_the_third_file_asks_about_many_numbers_in_one_request(
    cli: Cli, service: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.answering = many_lookup
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["manylookup"]')
    rows = [LIVE, DEAD, ODD, LIVE]
    Path("people.csv").write_text("phone\n" + "".join(f"{row}\n" for row in rows), "utf-8")

    done = cli("screen", "people.csv", "-o", "out.csv", "--lookups", "--json")

    with Path("out.csv").open(encoding="utf-8", newline="") as file:
        assert [row["rf_phone_status"] for row in csv.DictReader(file)] == ["active", "disconnected", "valid", "active"]
    assert done.document["lookups"] == 3
    (sent,) = service.sent
    assert sorted(each["number"] for each in sent.json["phones"]) == [LIVE, DEAD, ODD]
    assert sent.json["live"] is True


def test_all_stand_among_the_providers(cli: Cli) -> None:
    listed = {each["name"]: each for each in cli("providers", "--json").document["providers"]}

    assert listed["mylookup"]["configured"]
    assert set(listed["mylookup"]["tells"]) == {"validity", "line_state", "line_type", "carrier"}
    assert listed["mylookup"]["price"] == 0.005
    assert set(listed["otherlookup"]["countries"]) == {"US", "CA"}
    assert listed["manylookup"]["batch"] == 100


@pytest.mark.parametrize("body", ["[" * 100_000, '{"valid": true, "line', "100 MB"], ids=["deep", "cut", "endless"])
def test_an_answer_that_is_none_is_told_and_not_bought_twice(cli: Cli, service: ProviderServer, body: str) -> None:
    service.answering = lambda _: (200, Endless(100 * 1024 * 1024) if body == "100 MB" else body)
    Path("people.csv").write_text(f"phone\n{LIVE}\n", "utf-8")

    done = [cli("screen", "people.csv", "-o", f"out{n}.csv", "--lookups", "--json") for n in range(2)]

    assert len(service.sent) == 1
    assert [each.document["lookups"] for each in done] == [1, 0]  # perhaps billed, so it counts
    assert not [each for each in done if KEY in each.out + each.err or "Traceback" in each.err]
    for n in range(2):
        with Path(f"out{n}.csv").open(encoding="utf-8", newline="") as file:
            assert [row["rf_phone_status"] for row in csv.DictReader(file)] == ["valid"]
