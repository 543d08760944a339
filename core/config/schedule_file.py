"""Schedule files, read: what is wrong in one is told with the job, the key and the line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ..errors import ErrorCode, FileError, ScheduleError
from .schedule import Missed, Overlap, Schedule, ScheduledJob
from .spelling import did_you_mean, name_unknown_key

Place = Sequence[str | int]
"""The keys and positions that lead to something from the top of the file, such as ``("jobs", 0, "cron")``."""

_WORDS = {
    "missing": "it is missing",
    "too_short": "it must not be empty",
    "string_too_short": "it must not be empty",
    "string_type": "a text is wanted; put it in quotes",
    "list_type": "a list is wanted, each entry behind a dash",
    "model_type": "a table of keys is wanted, such as {name: nightly, run: check, every: 1h}",
    "string_pattern_mismatch": "letters, digits, blanks and . _ - only are wanted, a letter or digit first",
}
"""Our words for the commonest kinds of pydantic's errors; the others keep pydantic's."""

_CHOICES = {"overlap": Overlap, "missed": Missed}


@dataclass(frozen=True, slots=True)
class ScheduleFile:
    """A schedule with where it was read, so that whatever else is found wrong in it can be told with its line."""

    schedule: Schedule
    where: str
    _node: yaml.Node | None = None

    def refuse(self, problems: Iterable[tuple[Place, str]]) -> None:
        """Raise ScheduleError where there are any problems; each is a place and what is wrong there."""
        if told := [_tell(self._node, place, text) for place, text in problems]:
            raise _wrong(self.where, told)


def read_schedule(path: Path) -> ScheduleFile:
    """Return the schedule in a YAML file. Raises FileError when it cannot be read, ScheduleError when it is wrong."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise FileError(
            f"The schedule {path} cannot be read: {error.strerror}.", code=ErrorCode.SCHEDULE_UNREADABLE
        ) from error
    except UnicodeDecodeError as error:
        raise ScheduleError(f"The schedule {path} is not UTF-8 text.", "Save it as UTF-8.") from error
    return parse_schedule(text, str(path))


def parse_schedule(text: str, where: str) -> ScheduleFile:
    """Return the schedule in YAML text; ``where`` names its source in errors. Raises ScheduleError."""
    try:
        node, content = yaml.compose(text, yaml.SafeLoader), yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ScheduleError(
            f"The schedule {where} is not YAML: {' '.join(str(error).split())}.", "Check its indentation and quotes."
        ) from error
    if not isinstance(content, dict):
        raise ScheduleError(f"The schedule {where} is empty or not a table of keys.", "It has `timezone:` and `jobs:`.")

    problems = [_tell(node, place, "it stands there twice") for place in _find_doubled(node)]
    try:
        schedule = Schedule.model_validate(content)
    except ValidationError as error:
        problems += [_tell(node, item["loc"], _explain(item)) for item in error.errors()]
    if problems:
        raise _wrong(where, problems)

    file = ScheduleFile(schedule, where, node)
    file.refuse(_find_shared_names(schedule))
    return file


def _wrong(where: str, problems: Sequence[str]) -> ScheduleError:
    return ScheduleError(f"The schedule {where} is wrong: {'; '.join(problems)}.", "Correct the file and run again.")


def _explain(item: Any) -> str:
    """Return one error of pydantic as words for the user."""
    key = str(item["loc"][-1]) if item["loc"] else ""
    if item["type"] == "extra_forbidden":
        known = ScheduledJob.model_fields if len(item["loc"]) > 1 else Schedule.model_fields
        return name_unknown_key([key], known).partition(": ")[2]
    if item["type"] == "enum":
        known_words = [choice.value for choice in _CHOICES[key]]
        given = str(item["input"])
        return f"{given!r} is not known{did_you_mean(given, known_words)}; it may be {' or '.join(known_words)}"
    return _WORDS.get(item["type"], str(item["msg"]).removeprefix("Value error, "))


def _find_shared_names(schedule: Schedule) -> Iterator[tuple[Place, str]]:
    seen: dict[str, int] = {}
    for index, job in enumerate(schedule.jobs):
        first = seen.setdefault(job.name.casefold(), index)
        if first != index:
            yield ("jobs", index, "name"), f"{job.name!r} is the name of another job already"


def _find_doubled(top: yaml.Node | None) -> Iterator[Place]:
    """Yield the places of keys that stand twice in one table: YAML would silently take the last one."""
    found: list[tuple[Place, yaml.Node]] = [((), top)] if top else []
    known: set[int] = set()
    while found:
        place, node = found.pop()
        if id(node) in known:
            continue  # an alias stands for what was looked at, and may even hold itself
        known.add(id(node))

        if isinstance(node, yaml.MappingNode):
            keys = [str(key.value) for key, _ in node.value]
            yield from ((*place, key) for key, count in Counter(keys).items() if count > 1)
            found += [((*place, key), value) for key, (_, value) in zip(keys, node.value, strict=True)]
        elif isinstance(node, yaml.SequenceNode):
            found += [((*place, index), value) for index, value in enumerate(node.value)]


def _tell(node: yaml.Node | None, place: Place, text: str) -> str:
    """Return a problem with its place: the key, the line, and the job's name where it has one."""
    line = node.start_mark.line if node else 0
    words: list[str] = []
    for key in place:
        words.append(f"{words.pop()}[{key + 1}]" if isinstance(key, int) and words else str(key))
        node = _descend(node, key)
        if node is None:
            break
        line = node.start_mark.line
    return f"{'.'.join(words) or 'the file'} (line {line + 1}): {text}"


def _descend(node: yaml.Node | None, key: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int):
        child: yaml.Node = node.value[key]
        return child
    if isinstance(node, yaml.MappingNode):
        return next((value for name, value in reversed(node.value) if name.value == key), None)
    return None
