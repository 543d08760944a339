"""Forms that a numbering plan has given up, and what became of them. The rules are in `former.yaml`."""

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import yaml


class Former(NamedTuple):
    """One rule: national digits that match `form` are today what the templates in `today` make of them."""

    form: re.Pattern[str]
    today: tuple[str, ...]
    certain: bool
    abroad: bool


@cache
def load_former() -> dict[str, list[Former]]:
    """Return the rules of each calling code, read once from their file."""
    rules: dict[str, list[Former]] = {}
    for row in yaml.safe_load(files(__package__).joinpath("former.yaml").read_text(encoding="utf-8")):
        rule = Former(re.compile(row["form"], re.ASCII), tuple(row["today"]), row["certain"], row.get("abroad", False))
        rules.setdefault(row["code"], []).append(rule)
    return rules


def find_today(code: str, national: str, *, abroad: bool, certain: bool) -> Iterator[str]:
    """Yield what national digits in a former form may be today, as digits with the calling code.

    `abroad` tells that the calling code stood in front of them. With `certain` only the rules that leave nothing open
    are asked, else all of them.
    """
    for rule in load_former().get(code, ()):
        if (rule.certain or not certain) and (abroad or not rule.abroad) and (match := rule.form.fullmatch(national)):
            yield from (code + match.expand(today) for today in rule.today)
