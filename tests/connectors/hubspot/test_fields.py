"""Typed values, filters and names without a server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.connectors.hubspot import plugin
from ringfence.connectors.hubspot.cursor import Mode, Position, read_position
from ringfence.connectors.hubspot.fields import modified_field, read_value, write_value
from ringfence.connectors.hubspot.filters import due_groups, pack_groups, read_filter
from ringfence.connectors.hubspot.settings import HubSpotSettings
from ringfence.core.errors import SettingsError
from ringfence.core.model.values import Companion
from ringfence.core.ports.services import Services
from testkit.clock import SetClock


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("bool", "true", True),
        ("bool", "False", False),
        ("bool", "", None),
        ("bool", "perhaps", "perhaps"),
        ("string", None, None),
        ("string", " 0 ", " 0 "),
        ("enumeration", "true", "true"),
        ("number", "12", "12"),
        ("datetime", "2026-11-02T09:00:00Z", datetime(2026, 11, 2, 9, tzinfo=UTC)),
        ("datetime", "2026-11-02T11:00:00.250+02:00", datetime(2026, 11, 2, 9, 0, 0, 250_000, UTC)),
        ("datetime", "1793610000000", datetime(2026, 11, 2, 9, tzinfo=UTC)),
        ("datetime", "2026-11-02", datetime(2026, 11, 2, tzinfo=UTC)),
        ("datetime", "soon", "soon"),
        ("datetime", "9" * 30, "9" * 30),
    ],
)
def test_values_are_typed_by_the_property(kind: str, raw: str | None, value: Any) -> None:
    assert read_value(kind, raw) == value
    assert type(read_value(kind, raw)) is type(value)


@given(st.integers(0, 4_102_444_800_000))
def test_moments_survive_the_way_there_and_back_to_the_millisecond(milliseconds: int) -> None:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    assert read_value("datetime", write_value(moment)) == moment


@given(st.one_of(st.none(), st.booleans(), st.text(min_size=1)))
def test_other_values_survive_the_way_there_and_back(value: str | bool | None) -> None:
    assert read_value("bool" if isinstance(value, bool) else "string", write_value(value)) == value


def test_contacts_have_a_modification_time_of_their_own() -> None:
    assert [modified_field(name) for name in ("contacts", "0-1", "companies")] == [
        "lastmodifieddate",
        "lastmodifieddate",
        "hs_lastmodifieddate",
    ]


def test_companions_follow_the_contract() -> None:
    names = [plugin.companion_name("MobilePhone", companion) for companion in Companion]

    assert names[0] == "rf_mobilephone_status"
    assert names[-1] == "rf_mobilephone_last_screened"
    assert len(set(names)) == 6


@pytest.mark.parametrize("slots", [1, 2, 3, 7, 12])
@pytest.mark.parametrize("conditions", [0, 1, 3])
def test_groups_are_divided_within_hubspots_limits_and_none_is_lost(
    shapes: Callable[..., Any], slots: int, conditions: int
) -> None:
    text = "crm: hubspot\nobjects:\n  contacts:\n    phones:\n"
    text += "".join(f"      phone_number_{n}: {{}}\n" for n in range(slots))
    shape = shapes(text, filter=[{"propertyName": "country", "operator": "EQ", "value": "France"}] * conditions)
    groups = due_groups(shape["contacts"], datetime(2026, 11, 2, tzinfo=UTC), read_filter(shape["contacts"]))

    packed = pack_groups(groups, ("phone",))

    assert list(chain.from_iterable(packed)) == groups

    for search in packed:
        assert len(search) <= 5
        assert all(len(group) + 1 <= 6 for group in search)
        assert sum(len(group) + 1 for group in search) <= 18


def test_a_position_survives_its_text() -> None:
    for position in (
        Position(mode=Mode.FULL, until=5, after="70"),
        Position(mode=Mode.WINDOW, until=9, start=5, after="8"),
        Position(mode=Mode.DONE, until=9),
    ):
        assert read_position(position.dump(), 99) == position

    assert read_position(None, 99) == Position(mode=Mode.FULL, until=99)


def test_a_watermark_never_goes_back() -> None:
    assert Position(mode=Mode.DONE, until=1_000_000_000).next_window(5).until == 1_000_000_000


@pytest.mark.parametrize(
    "url", ["http://localhost:1234", "http://127.0.0.9:1", "http://[::1]:9", "https://api.hubapi.com/"]
)
def test_clear_text_stays_on_this_machine(url: str) -> None:
    assert HubSpotSettings(base_url=url).base_url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    ["http://api.hubapi.com", "http://localhost.example.com", "http://127.0.0.1@example.com", "ftp://x", "hubapi", ""],
)
def test_clear_text_to_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="RINGFENCE_HUBSPOT__BASE_URL"):
        HubSpotSettings(base_url=url)


def test_without_a_token_nothing_is_configured(clock: SetClock, shapes: Callable[..., Any]) -> None:
    assert not plugin.configured(HubSpotSettings())
    assert not plugin.configured(HubSpotSettings(access_token=" "))
    assert plugin.configured(HubSpotSettings(access_token="pat-na1-x"))

    with pytest.raises(SettingsError, match="ACCESS_TOKEN"):
        plugin.connect(HubSpotSettings(), shapes(), Services(clock))

    assert "pat-na1" not in repr(HubSpotSettings(access_token="pat-na1-x"))
