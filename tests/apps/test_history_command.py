"""``ringfence history import``: what a file brings about, once, whatever becomes of the import."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import event, select
from sqlalchemy.engine import Engine

from ringfence.apps.operations import history_import
from ringfence.apps.operations.signals import SignalDoor
from ringfence.apps.wiring import wire
from ringfence.connectors.signals.received import FORM, Received
from ringfence.connectors.signals.twilio import read_status
from ringfence.core.state import schema
from ringfence.core.state.evidence import list_evidence
from ringfence.core.state.number_signs import NumberSigns
from ringfence.core.state.store import Store, open_store
from testkit.commands import Result
from testkit.postgres import key_of

from .conftest import Cli

NUMBER = "+14155552671"
HEADER = "number,outcome,at,channel,direction,id\n"
COUNTS = ("rows", "taken", "known", "unknown", "unreadable")

Import = Callable[..., Result]


def at(days: float = 1) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds")


def row(number: str = NUMBER, outcome: str = "connected", name: str = "c1", days: float = 1) -> str:
    return f"{number},{outcome},{at(days)},voice,outbound,{name}\n"


def counts(result: Result) -> tuple[int, ...]:
    assert result.code == 0, result.err
    found = tuple(result.document[name] for name in COUNTS)
    assert found[0] == sum(found[1:])
    assert sum(result.document["unknown_codes"].values()) == result.document["unknown"]
    return found


@contextmanager
def opened() -> Iterator[Store]:
    with closing(open_store("sqlite:///ringfence.db")) as store:
        yield store


def heard(number: str = NUMBER) -> list[str]:
    with opened() as store, store.transaction() as connection:
        found = list_evidence(connection, store.keyring, store.keyring.number_key(number))
        return [each.outcome.value if each.outcome else each.said for each in found]


@pytest.fixture
def take_in(cli: Cli) -> Import:
    """Give a way to import a text as a file, as JSON tells it."""

    def call(content: str, *words: str, profile: str = "dialler", name: str = "calls.csv") -> Result:
        Path(name).write_text(content, encoding="utf-8")
        return cli("history", "import", name, "--profile", profile, *words, "--json")

    return call


def test_each_row_counts_once_and_the_same_file_again_changes_nothing(cli: Cli, take_in: Import) -> None:
    content = HEADER + "".join(
        [
            row(),
            row(outcome="No answer", name="c2", days=2),
            row(outcome="No answer", name="c2", days=2),  # twice in one file
            row(outcome="besetzt", name="c3"),
            row("", name="c4"),
            row("nobody", name="c5"),
            row(outcome="", name="c6"),
            row(name="c7", days=-400),
            row(name="c8", days=-0.2),  # a clock ahead of ours
        ]
    )
    first = take_in(content)

    assert counts(first) == (9, 3, 1, 1, 4)
    assert first.document["unknown_codes"] == {"besetzt": 1}
    assert [each["row"] for each in first.document["unreadable_rows"]] == [5, 6, 7, 8]
    assert "ahead" in first.document["unreadable_rows"][3]["why"]
    assert heard() == ["no_answer", "connected", "connected"]
    assert counts(take_in(content)) == (9, 0, 4, 1, 4)
    assert heard() == ["no_answer", "connected", "connected"]

    shown = cli("history", "import", "calls.csv", "--profile", "dialler")
    assert "0 taken, 4 known before, 1 of unknown words, 4 unreadable" in shown.err + shown.out
    assert "4155552671" not in shown.err + shown.out


def test_what_people_ask_for_is_done(cli: Cli, take_in: Import) -> None:
    content = HEADER + row(outcome="asked_not_to_call") + row("+14155552672", "wrong_number", "c2")
    result = take_in(content)

    assert counts(result) == (2, 2, 0, 0, 0)
    assert result.document["acts"] == {"blocked": 1, "lifted": 0, "wrong_person": 0, "review": 1}
    assert cli("suppress", "check", NUMBER).code == 1
    assert cli("suppress", "check", "+14155552672").code == 0
    items = cli("review", "list", "--json").document["items"]
    assert [each["reason"] for each in items] == ["ambiguous"]


def messages(*told: dict[str, Any]) -> str:
    plain = {"from": "+14155550100", "to": NUMBER, "direction": "outbound-api", "date_sent": at(), "error_code": None}
    return json.dumps({"messages": [plain | each for each in told]})


def test_messages_block_and_a_start_that_came_later_ends_it(cli: Cli, take_in: Import) -> None:
    other = "+14155552672"
    theirs = {"direction": "inbound", "status": "received", "to": "+14155550100"}
    content = messages(
        theirs | {"sid": "SM3", "from": NUMBER, "body": "START", "date_sent": at(1)},
        theirs | {"sid": "SM2", "from": NUMBER, "body": "Stop", "date_sent": at(2)},
        {"sid": "SM4", "to": other, "status": "failed", "error_code": 21610},
        theirs | {"sid": "SM5", "from": "+14155552673", "body": "who is this, wrong number"},
    )
    result = take_in(content, profile="twilio-messages", name="m.json")

    assert counts(result) == (4, 4, 0, 0, 0)
    assert result.document["acts"]["review"] == 1
    assert cli("suppress", "check", NUMBER, "--channel", "sms").code == 0
    assert cli("suppress", "check", other, "--channel", "sms").code == 1
    assert cli("suppress", "check", other, "--channel", "voice").code == 0


def test_what_the_webhook_has_told_is_known(take_in: Import, cli: Cli) -> None:
    wiring = wire()
    with closing(wiring.open_state()) as store:
        door = SignalDoor(wiring, store, None)
        posted = urlencode({"MessageSid": "SM1", "MessageStatus": "delivered", "To": NUMBER, "From": "+14155550100"})
        received = Received("https://x", {"content-type": FORM}, posted.encode(), datetime.now(UTC))
        door.take_in(read_status(received))

    told = {"sid": "SM1", "status": "delivered"}, {"sid": "SM2", "status": "delivered"}
    assert counts(take_in(messages(*told), profile="twilio-messages", name="m.json")) == (2, 1, 1, 0, 0)

    table = "From,To,Status,SentDate,ErrorCode,Sid,Direction\n"
    table += f"+14155550100,{NUMBER},delivered,{at()},,SM2,outbound-api\n"
    assert counts(take_in(table, profile="twilio-messages")) == (1, 0, 1, 0, 0)
    assert len(heard()) == 2


def test_a_moment_without_a_zone_is_refused_and_nothing_counts_twice(take_in: Import) -> None:
    content = HEADER + row() + f"{NUMBER},busy,{datetime.now(UTC) - timedelta(days=2):%Y-%m-%d %H:%M},voice,,\n"
    refused = take_in(content)

    assert refused.code == 2
    assert refused.document["message"].startswith("Row 2: ")
    assert "time zone" in refused.document["message"]
    assert "--timezone Europe/Berlin" in refused.document["remedy"]
    assert counts(take_in(content, "--timezone", "Europe/Berlin")) == (2, 2, 0, 0, 0)
    assert counts(take_in(content, "--timezone", "UTC")) == (2, 0, 2, 0, 0)
    wrong = take_in(content, "--timezone", "Berlin")
    assert (wrong.code, "no time zone" in wrong.document["message"]) == (2, True)


def test_a_dry_run_keeps_nothing(take_in: Import, cli: Cli) -> None:
    content = HEADER + row() + row() + row(outcome="asked_not_to_call", name="c2")

    dry = take_in(content, "--dry-run")
    assert counts(dry) == (3, 2, 1, 0, 0)
    assert (dry.document["dry_run"], dry.document["acts"]) == (True, None)
    assert not Path("ringfence.db").exists()
    assert counts(take_in(content)) == (3, 2, 1, 0, 0)
    assert counts(take_in(content + row(name="c3"), "--dry-run")) == (4, 1, 3, 0, 0)
    assert len(heard()) == 2


def test_an_import_that_was_cut_off_goes_on_where_it_was(
    cli: Cli, take_in: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_import, "BATCH", 10)
    content = HEADER + "".join(row(name=f"c{each}", days=each + 1) for each in range(35))
    take = SignalDoor.take_in_read
    calls = []

    def die(*args: Any, **words: Any) -> Any:
        done = take(*args, **words)
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return done

    with monkeypatch.context() as patched:
        patched.setattr(SignalDoor, "take_in_read", die)
        assert take_in(content).code == 130
    assert counts(take_in(content)) == (35, 15, 20, 0, 0)
    assert len(heard()) == 35


def test_a_file_that_breaks_off_says_what_counts_and_is_mended(
    take_in: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_import, "BATCH", 10)
    calls = [{"number": NUMBER, "outcome": "busy", "at": at(each + 1), "id": f"c{each}"} for each in range(25)]
    whole = "\n".join(map(json.dumps, calls))

    broken = take_in(whole[:-30], name="calls.json")
    assert broken.code == 2
    assert "The 20 rows before it were read" in broken.document["message"]
    assert counts(take_in(whole, name="calls.json")) == (25, 5, 20, 0, 0)


def test_a_profile_of_ones_own_knows_other_words(cli: Cli, take_in: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = f"{datetime.now(UTC) - timedelta(days=3):%d.%m.%Y %H:%M}"
    content = f"Rufnummer;Ergebnis;Zeitpunkt\n030 901820;Besetzt;{moment}\n030 901821;keine Anrufe mehr;{moment}\n"
    refused = take_in(content)
    assert refused.code == 2
    assert "there are: Rufnummer, Ergebnis, Zeitpunkt" in refused.document["message"]

    folder = Path("mappings/history")
    folder.mkdir(parents=True)
    monkeypatch.setenv("RINGFENCE_MAPPINGS", "mappings")
    text = (
        "source: callcenter\nnumber: [Rufnummer]\nstatus: [Ergebnis]\nat: [Zeitpunkt]\nformats: ['%d.%m.%Y %H:%M']\n"
        "timezone: Europe/Berlin\nchannel: {default: voice}\noutcomes: {besetzt: busy}\n"
    )
    (folder / "berlin.yaml").write_text(text)
    german = ("--region", "DE")
    assert counts(take_in(content, *german, profile="berlin")) == (2, 1, 0, 1, 0)

    (folder / "berlin.yaml").write_text(text.replace("busy}", "busy, keine Anrufe mehr: asked_not_to_call}"))
    assert counts(take_in(content, *german, profile="berlin")) == (2, 1, 1, 0, 0)
    assert cli("suppress", "check", "+4930901821").code == 1

    (folder / "berlin.yaml").write_text(text + "codes: twillio\n")
    assert "nobody knows" in take_in(content, profile="berlin").document["message"]
    (folder / "berlin.yaml").write_text(text + "ids: [x]\n")
    assert "did you mean 'id'" in take_in(content, profile="berlin").document["message"]
    assert "did you mean 'berlin'" in take_in(content, profile="berlln").document["message"]


def test_a_national_number_needs_its_country(take_in: Import) -> None:
    content = HEADER + row("415 555 2671")

    assert counts(take_in(content)) == (1, 0, 0, 0, 1)
    assert counts(take_in(content, "--region", "US")) == (1, 1, 0, 0, 0)
    assert heard() == ["connected"]
    assert take_in(content, "--region", "Nowhere").code == 2


def test_words_that_nobody_knows_are_masked_and_bounded(take_in: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_import, "MOST_WORDS", 2)
    swapped = [row("busy", outcome=f"+1415555267{each}", name=f"c{each}") for each in range(4)]
    result = take_in(HEADER + "".join(swapped))

    assert counts(result) == (4, 0, 0, 4, 0)
    assert result.document["unknown_codes"] == {"+1415***2670": 1, "+1415***2671": 1, "(others)": 2}


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "empty"), ("<html>Log in</html>", "web page"), ("name\nKim\n", "no column")],
)
def test_what_is_no_export_is_refused(take_in: Import, content: str, said: str) -> None:
    result = take_in(content)

    assert result.code == 2
    assert said in result.document["message"]
    assert result.document["remedy"]
    assert not Path("ringfence.db").exists()


def test_many_rows_of_one_number_cost_no_more_than_those_of_many(
    take_in: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_import, "BATCH", 100)
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    content = [row(name=f"c{each}", outcome="no_answer", days=1 + each / 100) for each in range(1000)]
    event.listen(Engine, "before_cursor_execute", note)
    try:
        assert counts(take_in(HEADER + "".join(content[:500]))) == (500, 500, 0, 0, 0)
        first = len(asked)
        assert counts(take_in(HEADER + "".join(content[500:]))) == (500, 500, 0, 0, 0)
    finally:
        event.remove(Engine, "before_cursor_execute", note)

    batches = 1000 / history_import.BATCH
    assert len(asked) - first < 100 + 12 * batches / 2
    with opened() as store, store.transaction() as connection:
        assert len(NumberSigns(store.keyring, "").find(connection, [NUMBER])[NUMBER]) == 32
        assert len(connection.execute(select(schema.evidence.c.id)).all()) == 1000


def test_on_either_engine(take_in: Import, cli: Cli, state_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_STATE_URL", state_url)
    if key := key_of(state_url):
        monkeypatch.setenv("RINGFENCE_ENCRYPTION_KEY", key)
    monkeypatch.setattr(history_import, "BATCH", 7)
    content = HEADER + "".join(row(f"+141555526{each % 9:02d}", name=f"c{each}") for each in range(30))
    content += row(outcome="asked_not_to_call", name="c0") + row(outcome="asked_not_to_call", name="d")

    assert counts(take_in(content, "--dry-run")) == (32, 31, 1, 0, 0)
    assert counts(take_in(content)) == (32, 31, 1, 0, 0)
    assert counts(take_in(content)) == (32, 0, 32, 0, 0)
    assert cli("suppress", "check", NUMBER).code == 1
