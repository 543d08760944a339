"""Splits a cell into its digit groups and the texts between them."""

import re
from typing import NamedTuple

from .dialling import digits_of

# Digits with the punctuation that is used inside numbers; a plus in the middle starts another one.
_SPAN = re.compile(r"(?:\+[+ ]*)?[(\[ ]*(?:\+ ?)?\d(?:[\d ().\[\]_'-]*\d)?")
# Signs that stand between two numbers, but inside one as well.
_SOFT = re.compile(r"[\])]? ?[/\\,] ?[(\[]?")
_TRIM = " ,;:.=-()[]/\\"
# "0~0" is how a plan writes an exit prefix with a second dial tone in it.
_DIAL_TONE = re.compile(r"^(\d)~(?=\d)")
_HASH_EXTENSION = re.compile(r"[- ]+(\d{1,6})#$")

# The most digits that an extension has after such a label (the limits of libphonenumber).
_LABELS = {
    **dict.fromkeys(("ext", "extn", "extension", "extensión", "xtn", "xt", "int", "interno", "anexo", "ramal"), 20),
    **dict.fromkeys(("poste", "durchwahl", "dw", "app", "apparat", "nst", "wew", "\u0434\u043e\u0431"), 20),
    # The last two are a pause in dialling.
    **dict.fromkeys(("x", "#", "~", "p", "w"), 9),
    ",,": 15,
}
_MAX_UNLABELLED = 15

# A national number without a plus has at least this many digits, except where the region has shorter ones.
NUMBER_LIKE = 7
# What is examined of one cell; more groups are a list of something else.
MAX_SPANS = 24


class Span(NamedTuple):
    """A group of digits with the punctuation inside it; `gap` is the text between the span before and this one."""

    text: str
    gap: str

    @property
    def plus(self) -> bool:
        """True when the span starts with a plus."""
        return "+" in self.text

    @property
    def digits(self) -> str:
        """The digits of the span."""
        return digits_of(self.text)

    @property
    def soft(self) -> bool:
        """True when the sign in front may stand inside a number (030/123456) as well as between two."""
        return not self.plus and _SOFT.fullmatch(self.gap) is not None

    @property
    def comma(self) -> bool:
        """True when a comma stands in front."""
        return "," in self.gap

    @property
    def glued(self) -> bool:
        """True when one or two letters stand between the digits (600a5): nobody can tell what they replace."""
        return 1 <= len(self.gap) <= 2 and self.gap.isalpha()

    @property
    def sign(self) -> bool:
        """True when x or # stands in front: it introduces an extension, or hides digits."""
        return self.gap.strip(_TRIM).lower() in ("x", "#")

    def extension_limit(self) -> int:
        """Return how many digits an extension has after a label as in front of this span; 0 when it is no label."""
        return _LABELS.get(self.gap.strip(_TRIM).lower() or self.gap.replace(" ", ""), 0)

    @property
    def after_semicolon(self) -> bool:
        """True when nothing but a semicolon stands in front, and the digits may be an extension."""
        return self.gap.strip() == ";" and len(self.digits) <= _MAX_UNLABELLED


def scan(text: str) -> tuple[list[Span], str]:
    """Return the first 24 spans of a cleaned text in order, and the text after the last of them."""
    if "~" in text:
        text = _DIAL_TONE.sub(r"\1", text)
    if "#" in text:
        text = _HASH_EXTENSION.sub(r" #\1", text)

    spans: list[Span] = []
    end = 0
    for match in _SPAN.finditer(text):
        if len(spans) == MAX_SPANS:
            break
        spans.append(Span(match[0].strip(), text[end : match.start()]))
        end = match.end()
    return spans, text[end:]


def runs(spans: list[Span]) -> list[list[Span]]:
    """Return the spans in runs: inside a run nothing but a soft sign stands between one span and the next."""
    result: list[list[Span]] = []
    for span in spans:
        if result and span.soft:
            result[-1].append(span)
        else:
            result.append([span])
    return result


def number_like(run: list[Span]) -> bool:
    """Return whether a run is long enough for a number, whatever the region."""
    return run[0].plus or sum(len(span.digits) for span in run) >= NUMBER_LIKE
