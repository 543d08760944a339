"""Findings that several CRMs have in common."""

from __future__ import annotations

import pytest

from ringfence.connectors.http.preflight import FlagField, missing_statuses, wrong_true_values
from ringfence.core.model.shapes import OptOutFlag
from ringfence.core.model.verdicts import Status


def field(*, is_boolean: bool = False, options: list[str] | None = None) -> FlagField:
    return FlagField(is_boolean, options, "it is yes or no.", "it holds text.", "there is no {value!r}")


@pytest.mark.parametrize(
    ("values", "mapped", "message"),
    [
        ((True,), field(is_boolean=True), None),
        (("yes",), field(is_boolean=True), "it is yes or no."),
        (("yes",), field(), None),
        ((True,), field(), "it holds text."),
        (("never",), field(options=["never", "now"]), None),
        (("nevr",), field(options=["never", "now"]), "there is no 'nevr' (did you mean 'never'?)."),
        (("never",), field(options=[]), "there is no 'never'."),
    ],
)
def test_true_values_have_to_fit_the_field(values: tuple[str | bool, ...], mapped: FlagField, message: str) -> None:
    wrong = wrong_true_values(OptOutFlag("optout", values), mapped)

    assert (wrong[0] if wrong else None) == message


def test_missing_statuses_are_named_in_their_order() -> None:
    there = [status.value for status in Status if status not in (Status.VALID, Status.DO_NOT_CONTACT)]

    assert set(missing_statuses(there).split(", ")) == {"valid", "do_not_contact"}
    assert missing_statuses([status.value for status in Status]) == ""
