"""The names under which the ledger keeps what records say of consent."""

from __future__ import annotations

import pytest

from ringfence.core.state.flag_states import consent_of, object_of_consent


@pytest.mark.parametrize("beside", [False, True])
def test_both_lines_of_consent_lead_back_to_their_object(beside: bool) -> None:
    assert object_of_consent(consent_of("Contact", beside=beside)) == "Contact"
    assert consent_of("Contact", beside=beside) != consent_of("Contact", beside=not beside)


def test_a_flag_is_no_consent() -> None:
    assert object_of_consent("Contact") == ""
