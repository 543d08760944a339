"""Policy files: how old a verdict may become, and what is said of a wrong file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ringfence.core.config.policy import read_policy
from ringfence.core.errors import FileError, MappingError
from ringfence.core.model.axes import Axis
from ringfence.core.model.policy import Policy


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("max_age_days: 7\n", timedelta(days=7)),
        ("max_age_days: 0.5\n", timedelta(hours=12)),
        ("# only a comment\n", timedelta(days=30)),
        ("", timedelta(days=30)),
        ("max_age_days: 3650\n", timedelta(days=3650)),
    ],
)
def test_a_policy_file_says_how_old_a_verdict_may_become(tmp_path: Path, text: str, age: timedelta) -> None:
    (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
    assert read_policy(tmp_path / "p.yaml").max_age == age


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"max_age_day: 7\n", "max_age_day: unknown key 'max_age_day' (did you mean 'max_age_days'?)"),
        (b"colour: red\n", "colour: unknown key 'colour'."),
        (b"max_age_days: soon\n", "max_age_days: Input should be a valid number"),
        (b"max_age_days: 0\n", "max_age_days: Input should be greater than 0"),
        (b"max_age_days: -1\n", "max_age_days: Input should be greater than 0"),
        (b"max_age_days: .nan\n", "max_age_days: "),
        (b"max_age_days: 3651\n", "max_age_days: Input should be less than"),
        (b"routing: {mobil: [twilio]}\n", "routing: Value error, 'mobil' is no line type such as mobile"),
        (b"routing: {US: []}\n", "routing.US"),
        (b"routing: {US: dearest}\n", "routing.US"),
        (b"checks: [liveness]\n", "checks.0: Input should be"),
        (b"second_opinion: perhaps\n", "second_opinion: Input should be a valid boolean"),
        (b"- 30\n", "the file: "),
        (b"[]\n", "the file: "),
        (b"30\n", "the file: "),
        (b"max_age_days: [\n", "is not YAML text"),
        (b"max_age_days: \xff\n", "is not YAML text"),
    ],
)
def test_a_wrong_policy_is_named_with_its_place_and_what_it_may_say(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "p.yaml").write_bytes(content)
    with pytest.raises(MappingError) as caught:
        read_policy(tmp_path / "p.yaml")

    assert "p.yaml" in caught.value.message
    assert words in str(caught.value)
    assert caught.value.remedy


def test_a_policy_that_is_not_there_is_named(tmp_path: Path) -> None:
    for place in (tmp_path / "absent.yaml", tmp_path):
        with pytest.raises(FileError, match="cannot be read") as caught:
            read_policy(place)
        assert str(place) in caught.value.message


@given(st.floats(0, 3650, exclude_min=True, allow_subnormal=False))
def test_every_age_within_ten_years_is_kept_to_the_microsecond(days: float) -> None:
    assert Policy(max_age_days=days).max_age == timedelta(days=days)


def test_a_policy_cannot_be_changed_by_the_way() -> None:
    policy = Policy()
    with pytest.raises(ValidationError, match="frozen"):
        policy.max_age_days = 1


def test_a_policy_file_says_who_is_asked_for_what(tmp_path: Path) -> None:
    text = """
    routing: {mobile: [vonage, twilio], default: cheapest}
    checks: [line_state, reassigned]
    second_opinion: true
    """
    (tmp_path / "p.yaml").write_text(text, encoding="utf-8")

    policy = read_policy(tmp_path / "p.yaml")

    assert policy.routing == {"mobile": ("vonage", "twilio"), "default": "cheapest"}
    assert policy.checks == (Axis.LINE_STATE, Axis.REASSIGNED)
    assert policy.second_opinion
