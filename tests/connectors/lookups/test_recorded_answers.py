"""Every recorded answer of a lookup provider, played over a real socket, is read for what tests/cases says it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringfence.core import errors
from testkit.clock import SetClock
from testkit.keys import write_private_key
from testkit.lookup_answers import ask, in_words
from testkit.provider_server import ProviderServer

RECORDINGS = Path(__file__).resolve().parents[3] / ".." / "shared" / "traffic"
FILES = yaml.safe_load((Path(__file__).resolve().parents[2] / "cases" / "recorded_lookups.yaml").read_text("utf-8"))
CASES = [
    pytest.param(file, name, file["usual"] | said, id=f"{file['provider']}: {name}")
    for file in FILES
    for name, said in file["answers"].items()
]

pytestmark = pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings lie beside the checkout, not in it")


@pytest.mark.parametrize(("file", "name", "said"), CASES)
def test_a_recorded_answer_is_read_for_what_it_says(
    server: ProviderServer, clock: SetClock, file: dict[str, Any], name: str, said: dict[str, Any]
) -> None:
    body = recorded(file)[name]
    server.answering = lambda _: (200, body)

    if "raises" in said:
        with pytest.raises(getattr(errors, said["raises"])):
            ask(file["provider"], file["settings"], server.url, clock, number_in(body))
    else:
        answer = ask(file["provider"], file["settings"], server.url, clock, number_in(body))
        assert in_words(answer, file["provider"], said) == said


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file['file']} {file.get('part', '')}")
def test_no_recorded_answer_is_left_out(file: dict[str, Any]) -> None:
    assert file["answers"].keys() == recorded(file).keys()


def test_identity_insights_is_asked_as_in_the_recorded_question(
    server: ProviderServer, clock: SetClock, tmp_path: Path
) -> None:
    recording = RECORDINGS / "vonage" / "tool-docker-api-sandbox.identity-insights.json"
    theirs = json.loads(recording.read_text("utf-8"))["RetrieveFromPhoneNumber.json"]
    settings = {"application_id": "a", "private_key_file": write_private_key(tmp_path), "reachability": False}
    server.answering = lambda _: (200, {"insights": {}})

    ask("vonage", settings, server.url, clock, f"+{theirs['phone_number']}")

    (ours,) = [sent.json for sent in server.sent]
    insights = {name: theirs["insights"][name] for name in ("format", "original_carrier", "current_carrier")}
    assert ours == {**theirs, "insights": insights}


def recorded(file: dict[str, Any]) -> dict[str, Any]:
    """Return the bodies of a recording, by their names."""
    content = json.loads((RECORDINGS / file["file"]).read_text("utf-8"))
    if "part" not in file:
        return dict(content)
    return {exchange["test"]: exchange["body"] for exchange in content[file["part"]]}


def number_in(body: dict[str, Any]) -> str:
    """Return the number that a body is about, as E.164; one of fiction for none."""
    names = ("phone_number", "international_format_number", "number")
    return "+" + next((str(body[name]).lstrip("+") for name in names if body.get(name)), "14155550173")
