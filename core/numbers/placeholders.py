"""Recognises digits that stand for no number: `0000000000`, `123-456-7890`. The list is in `placeholders.yaml`."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import yaml

from .plans import numbering_plan as plan

# The last four digits of every placeholder. Few numbers end in one of these: the rest need no closer look.
TELLING = frozenset((*(digit * 4 for digit in "0123456789"), "3456", "4567", "5678", "6789", "7890", "8901", "9012"))


class Placeholders(NamedTuple):
    """The known placeholders, as `placeholders.yaml` explains them."""

    one_digit: int
    digits: frozenset[str]
    allocated: frozenset[str]


@cache
def load_placeholders() -> Placeholders:
    """Return the known placeholders, read once from their file."""
    table = yaml.safe_load(files(__package__).joinpath("placeholders.yaml").read_text(encoding="utf-8"))
    return Placeholders(table["one_digit"], frozenset(table["digits"]), frozenset(table["allocated"]))


def is_placeholder(digits: str) -> bool:
    """Return whether digits as typed, of no known country, stand for no number."""
    return digits[-4:] in TELLING and (_is_one_digit(digits) or digits in load_placeholders().digits)


def is_one_digit(e164: str) -> bool:
    """Return whether a number in E.164 is one digit over and over behind its calling code."""
    return e164[-4:] in TELLING and _is_one_digit(e164[1 + len(plan.leading_calling_code(e164[1:])) :])


def carries(e164: str) -> bool:
    """Return whether an opt-out on a valid number in E.164 says something about others that hold it."""
    return e164[-4:] not in TELLING or not (e164 in load_placeholders().allocated or is_one_digit(e164))


def _is_one_digit(digits: str) -> bool:
    return len(digits) >= load_placeholders().one_digit and len(set(digits)) == 1
