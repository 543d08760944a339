"""A 404 means "no such number" at Plivo and "no such path" elsewhere: how far it is believed, over real sockets."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.apps.registry import lookup_plugins
from ringfence.connectors.lookups.declared.file import parse_provider_file
from ringfence.connectors.lookups.declared.plugin import make_plugin
from ringfence.connectors.lookups.declared.standing import MOST_IN_A_ROW
from ringfence.core.errors import UnreachableError
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.numbers import Validity
from ringfence.core.ports.lookup import Lookup
from ringfence.core.ports.services import Services
from testkit.clock import SetClock
from testkit.provider_server import ProviderServer, Sent

GOOD, *BAD = [f"+1415556{n:04}" for n in range(10)]
FILE = """\
name: mine
request: {url: "URL/v1/{digits}"}
answer:
  validity: {path: valid, values: {true: valid}, default: unknown}
status_answers: {404: {has: sign, unsigned: true, validity: invalid, evidence: routing_db}}
"""


@pytest.fixture
def plivo(server: ProviderServer, clock: SetClock) -> Lookup:
    """Return Plivo at an address that somebody has set."""
    plugin = lookup_plugins()["plivo"]
    return plugin.connect(plugin.settings(auth_id="me", auth_token="secret", base_url=server.url), Services(clock))


def only_good(sent: Sent) -> tuple[int, Any]:
    number = sent.path.partition("?")[0].rpartition("/")[2].replace("%2B", "+")
    return (200, {"phone_number": number}) if number == GOOD else (404, {})


def ask(lookup: Lookup, numbers: list[str]) -> list[Answer]:
    """Return the answers one by one, as each number is asked about by itself."""
    return [answer for number in numbers for answer in lookup.look_up([number]) if isinstance(answer, Answer)]


def test_a_wrong_address_makes_no_number_invalid(plivo: Lookup, server: ProviderServer) -> None:
    server.answering = lambda _: (404, {"api_id": "x", "error": "not found"})
    told: list[Answer] = []

    with pytest.raises(UnreachableError):
        told.extend(answer for answer in plivo.look_up(BAD) if isinstance(answer, Answer))

    assert not any(answer.validity is Validity.INVALID for answer in told)
    assert len(server.sent) <= 3


def test_once_the_address_has_told_about_a_number_it_is_believed(plivo: Lookup, server: ProviderServer) -> None:
    server.answering = only_good

    answers = ask(plivo, [GOOD, BAD[0]])

    assert [answer.validity for answer in answers] == [Validity.VALID, Validity.INVALID]
    assert not answers[1].paid


def test_a_service_that_answers_404_to_everything_is_not_believed_for_long(
    plivo: Lookup, server: ProviderServer
) -> None:
    server.answering = only_good

    answers = ask(plivo, [GOOD, *BAD[:5]])
    after_a_good_one = ask(plivo, [GOOD, BAD[5]])

    kinds = [answer.kind for answer in answers]
    assert kinds[-2:] == [AnswerKind.FAILED, AnswerKind.FAILED]
    assert [answer.validity for answer in answers].count(Validity.INVALID) == MOST_IN_A_ROW
    assert after_a_good_one[1].validity is Validity.INVALID


def test_the_address_of_the_file_itself_is_the_providers(server: ProviderServer, clock: SetClock) -> None:
    server.answering = only_good
    plugin = make_plugin(parse_provider_file(FILE.replace("URL", server.url), "mine.yaml"))
    lookup = plugin.connect(plugin.settings(), Services(clock))

    (answer,) = ask(lookup, BAD[:1])

    assert answer.validity is Validity.INVALID
