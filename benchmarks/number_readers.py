"""What is measured by `offline_numbers.py`: each reads cells, in a process of its own.

    python benchmarks/number_readers.py NAME

Reads a line of JSON, the cells, from its input. For every further line it reads all cells once and prints the seconds
of processor time that it took.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import time
from collections.abc import Callable
from typing import Any

Answers = tuple[str, bool, bool, int, str | None]
"""E.164 form, possible, valid, type (a `PhoneNumberType`), region."""

# Texts that are viable for the library at first sight, without its long pattern for extensions.
_VIABLE = re.compile(r"\+?(?:[-x ().\[\]/]*[0-9]){3}[-x ().\[\]/A-Za-z0-9]*")
_NO_DIGITS = bytes(code for code in range(128) if not chr(code).isdigit())

_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_KEYPAD = bytes.maketrans(_LETTERS + _LETTERS.lower(), b"22233344455566677778889999" * 2)
_NO_KEYS = bytes(code for code in _NO_DIGITS if not chr(code).isalpha())

Reader = Callable[[str, str], object]


def make_naive(package: str = "phonenumbers") -> Callable[[str, str], Answers | None]:
    """Return the five calls that any user writes; None stands for a text that cannot be parsed."""
    library: Any = importlib.import_module(package)

    def read_naively(text: str, region: str) -> Answers | None:
        try:
            number = library.parse(text, region)
        except library.NumberParseException:
            return None

        return (
            library.format_number(number, library.PhoneNumberFormat.E164),
            library.is_possible_number(number),
            library.is_valid_number(number),
            library.number_type(number),
            library.region_code_for_number(number),
        )

    return read_naively


def make_cached_naive() -> Reader:
    """Return the same calls after `phonenumbers.enable_pattern_cache()`."""
    importlib.import_module("phonenumbers").enable_pattern_cache()
    return make_naive()


def make_rust() -> Reader:
    """Return the same calls of the PyPI package `rphonenumbers`."""
    return make_naive("rphonenumbers")


def make_table() -> Callable[[str, str], Answers | None]:
    """Return the same five answers from ringfence's table, other than plain cells being cleaned as the library does."""
    util: Any = importlib.import_module("phonenumbers.phonenumberutil")
    find = importlib.import_module("ringfence.core.numbers.plans.table").find
    naive = make_naive()

    def read_table(text: str, region: str) -> Answers | None:
        digits, plus = _bare(text), False
        if not digits.isdigit() or not text.isascii():
            split = _split(util, text, digits)
            if split is None:
                return None
            plus, digits = split

        if len(digits) < 3 or len(text) > 250:
            return naive(text, region)
        form, found, _ = find(None if plus else region, digits)
        if form:
            return form, found.possible, found.valid, found.kind, found.region
        # The library reads a number with an unknown calling code once more without its plus.
        return naive(text, region) if plus else None

    return read_table


def _bare(text: str) -> str:
    return text.replace(" ", "").replace("-", "").replace("(", "").replace(")", "").replace(".", "")


def _split(util: Any, text: str, digits: str) -> tuple[bool, str] | None:
    """Return whether a plus stands in front, and the digits, by the library's own steps before it asks its metadata."""
    if digits[:1] == "+" and digits[1:].isdigit() and text.isascii():
        return True, digits[1:]
    try:
        text = util._build_national_number_for_parsing(text)
    except util.NumberParseException:
        return None

    # An extension has a letter or a sign in front of it, and ends in a digit or in #.
    digits = _bare(text).replace("\u2013", "")
    plus = digits[:1] == "+"
    if len(digits) > 3 and digits.isascii() and digits[plus:].isdigit():
        return plus, digits[plus:]
    if "+" in text.lstrip("+") or not (_VIABLE.fullmatch(text) or util._is_viable_phone_number(text)):
        return None
    if text[-1] == "#" or text[-1].isdigit():
        text = util._maybe_strip_extension(text)[1]
    signs = util._PLUS_CHARS_PATTERN.match(text)
    text = text[signs.end() :] if signs else text
    if not text.isascii():
        return signs is not None, util._normalize(text)
    spelled = util._VALID_ALPHA_PHONE_PATTERN.fullmatch(text)
    digits = text.encode().translate(_KEYPAD, _NO_DIGITS if not spelled else _NO_KEYS).decode()
    return signs is not None, digits


def make_ringfence() -> Reader:
    """Return ringfence's own reader, which also repairs, explains, and finds extensions and further numbers."""
    read: Reader = importlib.import_module("ringfence.core.numbers").read_number
    return read


READERS: dict[str, Callable[[], Reader]] = {
    "naive": make_naive,
    "naive, pattern cache": make_cached_naive,
    "rphonenumbers": make_rust,
    "ringfence table": make_table,
    "ringfence read_number": make_ringfence,
}


def main() -> None:
    """Read the cells as often as a line comes in."""
    read = READERS[sys.argv[1]]()
    cells = [(text, region) for text, region in json.loads(sys.stdin.readline())]
    for _ in sys.stdin:
        started = time.process_time()
        for text, region in cells:
            read(text, region)
        print(time.process_time() - started, flush=True)


if __name__ == "__main__":
    main()
