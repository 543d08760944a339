"""Cleans the characters of a cell: what a person sees in it, in ASCII digits and punctuation."""

import unicodedata

from .repairs import CAPPED, DASHES, DIGITS, INVISIBLE, SPACES

# A longer text is no phone field; what is examined is bounded, so that the time is.
MAX_EXAMINED = 1000

# Signs that stand for a hidden digit become "*"; signs that separate groups become their ASCII twins.
_SIGNS = {
    **dict.fromkeys("\u2022\u25cf\u2219\u22c5\u25a0\u2588\u25aa\u25e6\u25cb\u2b24\u2217\u2731\uff0a\u00d7\u2026", "*"),
    **dict.fromkeys("\u00b7\u30fb\uff61\u3002", "."),
    **dict.fromkeys("\u30fc\u2212", "-"),
    **dict.fromkeys("\uff0b\u207a\ufe62", "+"),
    "\ufffd": " ",
    "\n": "\n",
    "\r": "\n",
    "\v": "\n",
    "\f": "\n",
}
_TWINS = {
    **dict.fromkeys(("Cf", "Mn", "Me", "Mc"), ""),
    **dict.fromkeys(("Zs", "Cc"), " "),
    **dict.fromkeys(("Zl", "Zp"), "\n"),
    "Pd": "-",
}
_NOTES = {"Nd": DIGITS, "Cf": INVISIBLE, "Mn": INVISIBLE, "Cc": INVISIBLE, "Zs": SPACES, "Pd": DASHES}
# Editors insert these by themselves and every program reads over them: not worth a note in the reason.
_UNREMARKABLE = frozenset("\t\r\n\v\f\u00a0\u00ad")


class _Table(dict[int, str]):
    """A table for `str.translate` that is filled on use, with ASCII and the few thousand characters that change."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        twin = _twin(character)
        if twin != character or character.isascii():
            self[code] = twin
        return twin


def _twin(character: str) -> str:
    """Return the plain ASCII text that a character stands for, or the character itself."""
    if character in _SIGNS:
        return _SIGNS[character]
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if character > "\uff00" and len(unicodedata.normalize("NFKC", character)) == 1:
        character = unicodedata.normalize("NFKC", character)
        category = unicodedata.category(character)
    return _TWINS.get(category, character)


_TABLE = _Table()


def clean(raw: str) -> tuple[str, tuple[str, ...]]:
    """Return the text in ASCII digits, spaces, dashes and plus signs, and the repairs that this took.

    Invisible characters are dropped, line breaks become "\\n", runs of spaces one space. Takes any text, lone
    surrogates included, and examines its first 1,000 characters.
    """
    repairs: tuple[str, ...] = ()
    if len(raw) > MAX_EXAMINED:
        raw, repairs = _cap(raw), (CAPPED,)
    if not raw.isascii():
        raw = unicodedata.normalize("NFC", raw)
    if not raw.isascii() or not raw.isprintable():
        repairs += _notes(raw)
        raw = raw.translate(_TABLE)

    if "\n" not in raw:
        return " ".join(raw.split()), repairs
    return "\n".join(" ".join(line.split()) for line in raw.split("\n")).strip(), repairs


def _cap(raw: str) -> str:
    """Return the beginning of a long text without half a number at its end; a single long word is cut anywhere."""
    head = raw[:MAX_EXAMINED]
    if raw[MAX_EXAMINED].isspace():
        return head
    return head.rstrip("0123456789+-./() ") or head


def _notes(raw: str) -> tuple[str, ...]:
    """Return the repairs that the characters of a text need, each once."""
    odd = (character for character in raw if not ("\x20" <= character <= "\x7e" or character in _UNREMARKABLE))
    notes = (_NOTES.get(unicodedata.category(character)) for character in odd)
    return tuple(dict.fromkeys(note for note in notes if note))
