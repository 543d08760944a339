"""What rows of exports tell, profile by profile: files in the shapes of vendors, read to the end."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from ringfence.connectors.signals.history_moments import read_history_moment
from ringfence.connectors.signals.history_rows import HistoryRows, Unknown, Unreadable
from ringfence.connectors.signals.received import FORM, Received
from ringfence.connectors.signals.telnyx import read as read_telnyx
from ringfence.connectors.signals.twilio import read_inbound, read_status
from ringfence.connectors.signals.vonage import read_status as read_vonage_status
from ringfence.connectors.spreadsheet.record_file import RecordShape, open_records
from ringfence.core.config.history_profile import HistoryProfile, parse_history_profile
from ringfence.core.errors import UsageError
from ringfence.core.model.blocks import Channel, RecordName
from ringfence.core.model.signals import OptOutWord, Outcome, Signal

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
EXPORTS = Path(__file__).parent / "exports"
STOP = OptOutWord.STOP

Found = Signal | Unknown | Unreadable


def profile(name: str) -> HistoryProfile:
    text = resources.files("ringfence.mappings").joinpath("history", f"{name}.yaml").read_text("utf-8")
    return parse_history_profile(text, f"{name}.yaml")


def read(file: str, name: str) -> list[Found]:
    read_by = profile(name)
    shape = RecordShape((read_by.number, read_by.at, read_by.status), read_by.lists, read_by.each)
    rows = HistoryRows(read_by, NOW)
    return [rows.read(record or {}) for record in open_records(EXPORTS / file, shape).records()]


def tell(found: Iterable[Found]) -> list[tuple[object, ...]]:
    """Return of each row what matters: id, number, outcome and word, code; or the words of what it cannot tell."""
    return [
        (each.id, each.number, each.outcome, each.word or each.said, each.code) if isinstance(each, Signal) else each
        for each in found
    ]


def test_twilios_message_log() -> None:
    found = read("twilio.csv", "twilio-messages")

    assert tell(found) == [
        ("SM01:delivered", "+14155552671", Outcome.DELIVERED, "", ""),
        ("SM02:undelivered", "+14155552672", Outcome.OUT_OF_SERVICE, "", "30005"),
        ("SM03:failed", "+14155552673", Outcome.BLOCKED, STOP, "21610"),
        ("SM04:inbound", "+14155552674", None, "STOP", ""),
        ("SM05:inbound", "+14155552675", None, "See you tomorrow", ""),
        Unknown("sent", is_unfinished=True),
        Unknown("30410"),
        Unreadable("there is no number"),
    ]
    signals = [each for each in found if isinstance(each, Signal)]
    assert {each.channel for each in signals} == {Channel.SMS}
    assert {each.sender for each in signals} == {"+14155550100"}
    assert signals[0].occurred_at == datetime(2026, 11, 1, 10, 0, tzinfo=UTC)


def test_a_page_of_twilios_api() -> None:
    assert tell(read("twilio.json", "twilio-messages")) == [
        ("SM11:undelivered", "+14155552671", Outcome.UNDELIVERED, "", "30003"),
        ("SM12:inbound", "+14155552672", None, "stop", ""),
    ]


def test_vonages_reports() -> None:
    found = read("vonage.csv", "vonage-dlr")

    assert tell(found) == [
        ("0A0000000123ABCD1:delivered", "+447700900001", Outcome.DELIVERED, "", ""),
        ("0A0000000123ABCD2:failed", "+447700900002", Outcome.OUT_OF_SERVICE, "", "3"),
        ("0A0000000123ABCD3:rejected", "+447700900003", Outcome.BLOCKED, STOP, "9"),
        Unknown("buffered", is_unfinished=True),
        Unknown("77"),
    ]


def test_vonages_receipts() -> None:
    found = read("vonage-receipts.json", "vonage-dlr")

    assert tell(found) == [
        ("0A0000000123ABCD1:delivered", "+447700900001", Outcome.DELIVERED, "", ""),
        ("0A0000000123ABCD2:expired", "+447700900002", Outcome.UNDELIVERED, "", "2"),
    ]
    assert isinstance(found[0], Signal)
    assert found[0].occurred_at == datetime(2026, 11, 1, 10, 0, 5, tzinfo=UTC)


def test_telnyx_records() -> None:
    ids = [f"834f3d53-0000-4aa0-a733-00000000000{each}" for each in range(7)]

    assert tell(read("telnyx.json", "telnyx-messages")) == [
        (f"{ids[1]}:delivered:0", "+14155552671", Outcome.DELIVERED, "", ""),
        (f"{ids[2]}:delivered:0", "+14155552672", Outcome.DELIVERED, "", "40300"),
        (f"{ids[2]}:delivery_failed:1", "+14155552673", Outcome.BLOCKED, STOP, "40300"),
        (f"{ids[3]}:inbound", "+14155552674", None, "Unsubscribe", ""),
        Unknown("queued", is_unfinished=True),
    ]
    assert tell(read("telnyx.csv", "telnyx-messages")) == [
        (f"{ids[1]}:delivered:0", "+14155552671", Outcome.DELIVERED, "", ""),
        (f"{ids[5]}:delivery_failed:0", "+14155552676", Outcome.UNDELIVERED, "", "40001"),
        Unknown("49999"),
    ]


def test_any_dialler() -> None:
    found = read("dialler.csv", "dialler")

    assert tell(found) == [
        ("c1", "+14155552671", Outcome.CONNECTED, "", ""),
        ("c2", "+14155552672", Outcome.ASKED_NOT_TO_CALL, "", ""),
        ("c3", "(415) 555-2673", Outcome.WRONG_NUMBER, "", ""),
        ("c4", "+14155552674", Outcome.CONNECTED, "", "no_answer"),
        ("c5", "+14155552675", Outcome.DELIVERED, "", ""),
        Unknown("besetzt"),
        Unknown("fax"),
        ("c8", "not a number", Outcome.BUSY, "", ""),
        Unreadable("'2028-11-01T10:08:00Z' is too far ahead"),
    ]
    assert [each.channel for each in found if isinstance(each, Signal)] == [
        *[Channel.VOICE] * 4,
        Channel.SMS,
        Channel.VOICE,
    ]


def test_what_a_webhook_has_told_has_the_same_id() -> None:
    def posted(**fields: str) -> Received:
        return Received("https://x", {"content-type": FORM}, urlencode(fields).encode(), NOW)

    def told(signals: Sequence[Found]) -> set[tuple[str, str, str]]:
        return {(each.vendor, each.id, each.number) for each in signals if isinstance(each, Signal)}

    hooked = [
        *read_status(posted(MessageSid="SM01", MessageStatus="delivered", To="+14155552671", From="+14155550100")),
        *read_inbound(posted(MessageSid="SM04", From="+14155552674", To="+14155550100", Body="STOP")),
    ]
    assert told(hooked) <= told(read("twilio.csv", "twilio-messages"))

    receipt = json.loads((EXPORTS / "vonage-receipts.json").read_text().splitlines()[0])
    hooked = read_vonage_status(posted(**receipt))
    assert told(hooked) <= told(read("vonage-receipts.json", "vonage-dlr")) & told(read("vonage.csv", "vonage-dlr"))

    message = json.loads((EXPORTS / "telnyx.json").read_text())["data"][1]
    event = {"data": {"event_type": "message.finalized", "occurred_at": NOW.isoformat(), "payload": message}}
    hooked = read_telnyx(Received("https://x", {}, json.dumps(event).encode(), NOW))
    assert len(hooked) == 2
    assert told(hooked) <= told(read("telnyx.json", "telnyx-messages"))


def test_a_row_without_an_id_is_known_by_what_it_says() -> None:
    rows = HistoryRows(profile("dialler"), NOW, ZoneInfo("Europe/Berlin"))
    elsewhere = HistoryRows(profile("dialler"), NOW, UTC)
    row = {"number": "+4930123456", "outcome": "busy", "at": "2026-11-01 10:00"}

    ids = [
        each.id
        for each in (
            rows.read(row),
            rows.read(row | {"agent": "Kim"}),
            elsewhere.read(row),
            rows.read(row | {"outcome": "voicemail"}),
            rows.read(row | {"at": "2026-11-01 10:01"}),
        )
        if isinstance(each, Signal)
    ]
    assert ids[0] == ids[1] == ids[2]
    assert len(set(ids)) == 3
    assert len(ids) == 5


def test_a_record_is_named_or_is_no_record() -> None:
    rows = HistoryRows(profile("dialler"), NOW)
    row = {"number": "+4930123456", "outcome": "deceased", "at": "2026-11-01T10:00:00Z"}
    found = rows.read(row | {"record": "hubspot:contacts:12"})

    assert isinstance(found, Signal)
    assert found.record == RecordName("hubspot", "contacts", "12")
    assert isinstance(rows.read(row | {"record": "12"}), Unreadable)


@pytest.mark.parametrize(
    ("number", "read_as"),
    [
        ("14155552671", "+14155552671"),  # Excel took the plus
        ("'+14155552671", "+14155552671"),
        ("whatsapp:+14155552671", "+14155552671"),
        ("72975", "72975"),  # a short code belongs to no country
        ("4.915E+11", "4.915E+11"),
    ],
)
def test_the_ways_in_which_numbers_come_out_of_spreadsheets_and_messengers(number: str, read_as: str) -> None:
    row = {"to": number, "status": "delivered", "sentdate": "2026-11-01T10:00:00Z", "sid": "SM1"}
    found = HistoryRows(profile("twilio-messages"), NOW).read(row)

    assert isinstance(found, Signal)
    assert found.number == read_as


BERLIN = ZoneInfo("Europe/Berlin")
FORMS = ("rfc2822", "unix", "%d.%m.%Y %H:%M")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-11-01T10:00:00Z", "2026-11-01T10:00:00+00:00"),
        ("2026-11-01T10:00:00+0100", "2026-11-01T09:00:00+00:00"),
        ("2026-11-01 10:00:00 UTC", "2026-11-01T10:00:00+00:00"),
        ("2026-11-01 10:00:00", "2026-11-01T09:00:00+00:00"),
        ("2026-07-01 10:00:00", "2026-07-01T08:00:00+00:00"),
        ("2026-10-25 02:30", "2026-10-25T00:30:00+00:00"),  # which is there twice: the first one
        ("01.11.2026 10:00", "2026-11-01T09:00:00+00:00"),
        ("Sun, 01 Nov 2026 10:00:00 +0000", "2026-11-01T10:00:00+00:00"),
        ("Sun, 01 Nov 2026 10:00:00 GMT", "2026-11-01T10:00:00+00:00"),
        ("1793527200", "2026-11-01T10:00:00+00:00"),
        ("1793527200123", "2026-11-01T10:00:00+00:00"),
        ("03/04/2026 10:00", None),
        ("yesterday", None),
        ("", None),
        ("9999-12-31T23:59:59-23:59", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("2026-11-01T10:00:00Z" * 10, None),
    ],
)
def test_moments(text: str, told: str | None) -> None:
    found = read_history_moment(text, FORMS, BERLIN)
    assert (found and found.isoformat()) == told


@pytest.mark.parametrize("text", ["2026-11-01 10:00:00", "01.11.2026 10:00", "Sun, 01 Nov 2026 10:00:00 -0000"])
def test_a_moment_without_a_zone_needs_one(text: str) -> None:
    with pytest.raises(UsageError, match="time zone") as caught:
        read_history_moment(text, FORMS, None)
    assert "--timezone Europe/Berlin" in caught.value.remedy
    assert read_history_moment("2026-11-01T10:00:00Z", FORMS, None)
