"""Consent as records tell it, and which purposes it covers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ringfence.core.decisions.consent import covers, is_consent
from ringfence.core.model.consent import Consent, ConsentFields, ConsentState, read_time
from ringfence.core.model.record_view import RecordView
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.model.values import Record, Value

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
FIELDS = ConsentFields("Consent", (True, "granted"), (False, "revoked"), "Since", ("marketing", "Service"))


@pytest.mark.parametrize(
    ("held", "state"),
    [
        (True, ConsentState.GIVEN),
        ("Yes", ConsentState.GIVEN),
        (" TRUE ", ConsentState.GIVEN),
        ("Granted", ConsentState.GIVEN),
        (False, ConsentState.WITHDRAWN),
        ("No", ConsentState.WITHDRAWN),
        ("revoked", ConsentState.WITHDRAWN),
        ("granted;revoked", ConsentState.WITHDRAWN),
        ("pending;granted", ConsentState.GIVEN),
        ("maybe", ConsentState.UNKNOWN),
        ("", ConsentState.UNKNOWN),
        (None, ConsentState.UNKNOWN),
        ("Yes, but", ConsentState.UNKNOWN),
    ],
)
def test_a_value_means_what_the_mapping_says_and_else_nothing(held: Value, state: ConsentState) -> None:
    assert FIELDS.read({"Consent": held}).state is state


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-09-01", datetime(2026, 9, 1, tzinfo=UTC)),
        ("2026-09-01T10:00:00.000+0200", datetime(2026, 9, 1, 8, tzinfo=UTC)),
        ("1790812800000", datetime(2026, 10, 1, tzinfo=UTC)),
        (NOW, NOW),
        ("last summer", None),
        ("99999999999999999", None),
        ("", None),
        (None, None),
        (True, None),
    ],
)
def test_a_time_that_cannot_be_read_is_none(value: Value, moment: datetime | None) -> None:
    assert read_time(value) == moment


@pytest.mark.parametrize(
    ("consent", "covered"),
    [
        (Consent(ConsentState.GIVEN, ("marketing",), NOW, "Consent"), True),
        (Consent(ConsentState.GIVEN, (" Marketing ",), None, "Consent"), True),
        (Consent(ConsentState.GIVEN, (), None, "Consent"), True),
        (Consent(ConsentState.GIVEN, ("service",), None, "Consent"), False),
        (Consent(ConsentState.GIVEN, (), NOW + timedelta(seconds=1), "Consent"), False),
        (Consent(ConsentState.WITHDRAWN, ("marketing",), None, "Consent"), False),
        (Consent(ConsentState.UNKNOWN, ("marketing",), None, "Consent"), False),
        (None, False),
    ],
)
def test_only_consent_that_was_given_for_it_covers_a_purpose(consent: Consent | None, covered: bool) -> None:
    assert is_consent(consent, "marketing", NOW) is covered


def test_a_record_tells_its_consent_by_the_fields_of_its_mapping() -> None:
    record = Record("Contact", "1", {"Consent": "Yes", "Since": "2026-09-01"})

    view = RecordView(record, ObjectShape("Contact", (), consent=FIELDS))

    day = datetime(2026, 9, 1, tzinfo=UTC)
    assert view.consent() == Consent(ConsentState.GIVEN, ("marketing", "Service"), day, "Consent")
    assert covers(view, "service", NOW)
    assert RecordView(record, ObjectShape("Contact", ())).consent() is None
