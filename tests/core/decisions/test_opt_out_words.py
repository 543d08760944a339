"""What a text message asks for, by its words."""

from __future__ import annotations

import json
import unicodedata
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.config.opt_out_words import opt_out_words_schema, parse_opt_out_words, plain
from ringfence.core.decisions.opt_out_words import OptOutWords
from ringfence.core.errors import MappingError
from ringfence.core.model.signals import OptOutWord

FOLDER = resources.files("ringfence.mappings").joinpath("words")
FILE = parse_opt_out_words(FOLDER.joinpath("opt_out_words.yaml").read_text("utf-8"), "opt_out_words.yaml")
WORDS = OptOutWords.of(FILE)
STOPS = sorted({word for language in FILE.languages.values() for word in language.stop})
STARTS = sorted({word for language in FILE.languages.values() for word in language.start})
STOP, START, NEAR, WRONG = OptOutWord.STOP, OptOutWord.START, OptOutWord.NEAR_STOP, OptOutWord.NEAR_WRONG_NUMBER

REVOKING = ("stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe")
"""The words of 47 CFR 64.1200(a)(10)."""
OF_TWILIO = ("STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL")
OF_TELNYX = ("STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT")


@pytest.mark.parametrize("word", sorted({*REVOKING, *OF_TWILIO, *OF_TELNYX}))
def test_holds_what_the_law_and_the_vendors_call_an_opt_out(word: str) -> None:
    assert WORDS.recognise(word) is STOP


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("STOP", STOP),
        ("  stop \n", STOP),
        ("Stop.", STOP),
        ("“STOP!!!”", STOP),
        ("opt-out", STOP),
        ("\uff33\uff34\uff2f\uff30", STOP),
        ("ARRÊT", STOP),
        ("arret", STOP),
        ("Kündigen", STOP),
        ("退订", STOP),
        ("СТОП", STOP),
        ("ÇIK", STOP),
        ("ç\u0131k", STOP),
        ("İPTAL", STOP),
        ("ΤΈΛΟΣ", STOP),
        ("τέλος", STOP),
        ("إيقاف", STOP),
        ("ايقــاف", STOP),
        ("बंद करें", STOP),
        ("수신거부", STOP),
        ("ST\u00adOP\u200b", STOP),
        ("STOP\ufe0f", STOP),
        ("Fine.", None),
        ("S.T.O.P.", NEAR),
        ("start", START),
        ("UNSTOP", START),
        ("Stop please", NEAR),
        ("please stop", NEAR),
        ("stop texting me", NEAR),
        ("don't text me again", NEAR),
        ("don\u2019t call me", NEAR),
        ("Take me off your list, ok?", NEAR),
        ("stpo", NEAR),
        ("STOPP it", NEAR),
        ("sttop", NEAR),
        ("unsubcsribe", NEAR),
        ("STOP\n\nSent from my phone", NEAR),
        ("start and stop", NEAR),
        ("请不要再发了", NEAR),
        ("Hören Sie auf!", NEAR),
        ("wrong number", WRONG),
        ("Sorry, wrong number.", WRONG),
        ("this is not me", WRONG),
        ("Falsche Nummer", WRONG),
        ("yes", None),
        ("Hi, what are your weekend prices?", None),
        ("nonstop flights?", None),
        ("", None),
        ("🙂", None),
        ("the end of the month suits me", None),
    ],
)
def test_what_a_message_asks_for(text: str, word: OptOutWord | None) -> None:
    assert WORDS.recognise(text) is word


@given(
    st.sampled_from(STOPS),
    st.text(" \t\n.,!?*\"'()", max_size=4),
    st.text(" \t\n.,!?*\"'()", max_size=4),
    st.sampled_from((str.upper, str.lower, str.title, str)),
    st.sampled_from(("NFC", "NFD", "NFKC", "NFKD")),
)
def test_case_accents_and_signs_around_a_word_do_not_count(
    word: str, before: str, after: str, spelled: type[str], form: str
) -> None:
    text = before + unicodedata.normalize(form, spelled(word)) + after  # type: ignore[arg-type]  # one of four
    assert WORDS.recognise(text) is STOP


@given(st.text(max_size=300))
def test_any_text_has_an_answer_and_never_loosens_by_its_surroundings(text: str) -> None:
    found = WORDS.recognise(text)
    if found is START:
        assert plain(text) in {plain(word) for word in STARTS}
    if found is not STOP and plain(text):
        assert WORDS.recognise(f"{text} please stop") is NEAR


@given(st.text(max_size=60))
def test_writing_plainly_changes_nothing_more(text: str) -> None:
    assert plain(plain(text)) == plain(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("as_of: 2026-01-01\nlanguages: {en: {stop: [stop], start: [STOP]}}", "is a word of stop and one of start"),
        ("as_of: 2026-01-01\nlanguages: {en: {stop: ['!!']}}", "which is no word"),
        ("as_of: 2026-01-01\nlanguages: {en: {stop: []}}", "languages.en.stop"),
        ("as_of: 2026-01-01\nlanguages: {en: {stop: [stop], halt: [x]}}", "halt"),
        ("languages: {en: {stop: [stop]}}", "as_of"),
        ("- [", "not YAML"),
        ("", "hold nothing"),
    ],
)
def test_a_file_that_is_wrong_says_where(text: str, problem: str) -> None:
    with pytest.raises(MappingError, match=problem):
        parse_opt_out_words(text, "mine.yaml")


def test_the_schema_of_the_file_is_the_models() -> None:
    kept = json.loads(FOLDER.joinpath("opt_out_words.schema.json").read_text("utf-8"))
    assert kept == opt_out_words_schema(), "write json.dumps(opt_out_words_schema(), indent=2) to its file"
