"""What a terminal could obey is written out; what a person could have typed stays."""

from __future__ import annotations

import json

import pytest

from ringfence.apps.printable import printable, to_json


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Zoë Müller, Łódź, 東京", "Zoë Müller, Łódź, 東京"),
        ("[bold]x[/bold]", "[bold]x[/bold]"),
        ("क\u200dष", "क\u200dष"),
        ("a\nb\r\nc\td", "a b  c d"),
        ("a\u2028b", "a b"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x9b31m", r"\x9b31m"),
        ("\x00\x07\x7f", r"\x00\x07\x7f"),
        ("\u202e\u2066\u200f\ufeff", r"\u202e\u2066\u200f\ufeff"),
        ("\U000e0041", r"\U000e0041"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_a_terminal_obeys_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("text", ["Zoë", "\x1b[31m", "\u202e", "\x9b", "\x7f", "\U000e0041", "\ud800"])
def test_a_document_holds_the_text_unchanged(text: str) -> None:
    line = to_json({"text": text})

    assert json.loads(line) == {"text": text}
    assert line.isprintable()


def test_a_document_is_ascii_where_that_is_asked_for() -> None:
    assert to_json({"name": "Zoë"}) == '{"name": "Zoë"}'
    assert to_json({"name": "Zoë"}, ascii_only=True) == r'{"name": "Zo\u00eb"}'
