"""The providers' own OpenAPI descriptions, served by Prism: our questions are as they demand, their examples are read.

Each description has one test, so that its server is started once. Prism knows no number: it answers with an example of
the description, or with `string` where there is none, and refuses a question that the description does not allow.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ringfence.core.errors import AuthenticationError
from ringfence.core.model.answers import Answer
from testkit import prism
from testkit.clock import SetClock
from testkit.keys import write_private_key
from testkit.lookup_answers import ask, in_words
from testkit.provider_server import ProviderServer

from .test_recorded_answers import FILES

SPECS = Path(__file__).resolve().parents[3] / ".." / "shared" / "specs"
NUMBER = "+14155550196"
LOOKUP = "/v2/PhoneNumbers/{PhoneNumber}"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not prism.IS_HERE, reason=prism.WHY_NOT),
    pytest.mark.skipif(not SPECS.is_dir(), reason="the descriptions lie beside the checkout, not in it"),
]


class Described:
    """A provider as its description has it; ``headers`` go to Prism with each question that follows."""

    def __init__(self, url: str, description: Path, server: ProviderServer, query: str) -> None:
        self.headers: dict[str, str] = {}
        self._server = server
        self._answer = prism.go_between(url, description, lambda: self.headers, query)
        self._refuse = prism.go_between(url, description, dict, query, keyless=True)

    def ask(self, provider: str, **settings: Any) -> Answer:
        """Return what our provider module makes of the answer about one number."""
        self._server.answering = self._answer
        return ask(provider, settings, self._server.url, SetClock(), NUMBER)

    def ask_without_credentials(self, provider: str, **settings: Any) -> Answer:
        """Ask as before, with the credentials lost on the way."""
        self._server.answering = self._refuse
        return ask(provider, settings, self._server.url, SetClock(), NUMBER)


@contextmanager
def described(name: str, server: ProviderServer, folder: Path, query: str = "") -> Iterator[Described]:
    """Give the provider that a description is about. A context."""
    with prism.served(SPECS / name, folder) as url:
        yield Described(url, SPECS / name, server, query)


def test_every_example_of_twilio(server: ProviderServer, tmp_path: Path) -> None:
    name = "twilio/twilio_lookups_v2.json"
    document = json.loads((SPECS / name).read_text(encoding="utf-8"))
    content = document["paths"][LOOKUP]["get"]["responses"]["200"]["content"]["application/json"]
    (kept,) = (file for file in FILES if file["file"] == "twilio/lookups-v2-examples-2026.json")
    settings, said = kept["settings"], {name: kept["usual"] | said for name, said in kept["answers"].items()}

    read: dict[str, dict[str, Any]] = {}
    with described(name, server, tmp_path) as twilio:
        for example in content["examples"]:
            twilio.headers = {"Prefer": f"code=200, example={example}"}
            read[example] = in_words(twilio.ask("twilio", **settings), "twilio", kept["usual"])

        with pytest.raises(AuthenticationError):
            twilio.ask_without_credentials("twilio", **settings)

    assert read == said


def test_telnyx(server: ProviderServer, tmp_path: Path) -> None:
    with described("telnyx/telnyx-number-lookup.derived.openapi.json", server, tmp_path) as telnyx:
        answer = telnyx.ask("telnyx", api_key="very-secret")

        with pytest.raises(AuthenticationError):
            telnyx.ask_without_credentials("telnyx", api_key="very-secret")

    assert (answer.validity, answer.line, answer.line_type, answer.ported) == ("valid", None, "landline", "yes")
    assert answer.carrier is not None
    assert answer.carrier.name == "string"
    assert answer.unrecognised == ()


def test_number_insight_as_vonage_published_it(server: ProviderServer, tmp_path: Path) -> None:
    # The description is older than the HTTP Basic that Vonage's clients send by now: the go-between adds what it wants.
    settings = {"api_key": "a-key", "api_secret": "very-secret"}
    keys = "api_key=abcd1234&api_secret=abcdef0123"
    with described("vonage/number-insight.2021-07.official.yml", server, tmp_path, keys) as vonage:
        answer = vonage.ask("vonage-number-insight", **settings)

        with pytest.raises(AuthenticationError):
            vonage.ask_without_credentials("vonage-number-insight", **settings)

    assert (answer.kind, answer.outcome, answer.validity, answer.line) == ("inconclusive", "ok", "unknown", None)
    assert (answer.line_type, answer.cost) == ("mobile", 0.04)
    assert answer.carrier == ("Acme Inc", "123", "45", "Acme Inc", "12345")
    assert answer.unrecognised == ()


def test_number_insight_as_the_client_of_vonage_speaks_it(server: ProviderServer, tmp_path: Path) -> None:
    settings = {"api_key": "a-key", "api_secret": "very-secret"}
    with described("vonage/vonage-number-insight.derived.openapi.json", server, tmp_path) as vonage:
        answer = vonage.ask("vonage-number-insight", **settings)

        with pytest.raises(AuthenticationError):
            vonage.ask_without_credentials("vonage-number-insight", **settings)

    # Every word is `string`, which none of our tables has: nothing is made of it, and each is kept.
    assert (answer.kind, answer.validity, answer.line, answer.line_type) == ("inconclusive", "unknown", None, None)
    assert {axis for axis, _ in answer.unrecognised} == {"validity", "line_state", "line_type", "ported"}


def test_identity_insights(server: ProviderServer, tmp_path: Path) -> None:
    settings = {"application_id": "aaaaaaaa-bbbb", "private_key_file": write_private_key(tmp_path)}
    with described("vonage/vonage-identity-insights.derived.openapi.json", server, tmp_path) as vonage:
        answer = vonage.ask("vonage", **settings)

        with pytest.raises(AuthenticationError):
            vonage.ask_without_credentials("vonage", **settings)

    # The status of each insight is `string`, which is none: a fault of the provider's, and nothing is made of the rest.
    assert (answer.kind, answer.outcome, answer.code) == ("failed", "provider_error", "string")
    assert (answer.validity, answer.line, answer.ported) == ("unknown", None, "unknown")
