"""What the law gives callers time for, as dated rules in files that a compliance officer can read.

``mappings/clocks/`` holds those that come with ringfence, one file a jurisdiction; files of the same name in the user's
folder win over them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ..errors import MappingError
from .clock_models import Clock, ClockFile, ClockKind, Counted
from .holidays import add_business_days
from .yaml_model import read_model

_ABROAD = ClockFile(jurisdiction="ZZ", clocks=[])


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks of every jurisdiction that has a file, by ISO 3166 code."""

    files: Mapping[str, ClockFile] = field(default_factory=dict)

    @property
    def jurisdictions(self) -> list[str]:
        """Return the codes of the jurisdictions that have clocks, in the order of the alphabet."""
        return sorted(self.files)

    def find(self, jurisdiction: str, kind: ClockKind, on: date) -> Iterator[Clock]:
        """Yield the clocks of this kind that hold in the jurisdiction on the day."""
        known = self.files.get(jurisdiction.upper(), _ABROAD)
        return (each for each in known.clocks if each.kind is kind and each.holds(on))

    def list_lifetime(self, jurisdiction: str, register: str = "", on: date | None = None) -> timedelta | None:
        """Return how old a list of numbers may be when it is used; None where no clock says anything about it.

        ``register`` is the register's name as clocks have it, such as ``us-dnc``; without one that a clock names, the
        shortest time of the jurisdiction counts. ``on`` is the day of use: today unless told.
        """
        clocks = list(self.find(jurisdiction, ClockKind.LIST, on or datetime.now(UTC).date()))
        named = [each for each in clocks if register in each.registers]
        return min((timedelta(days=each.days or 0) for each in named or clocks), default=None)

    def request_deadline(self, jurisdiction: str, since: datetime) -> date | None:
        """Return the last day for honouring what a person asked for at the aware moment ``since``.

        None where no clock of the jurisdiction gives a time: then it is honoured at once.
        """
        clocks = self.find(jurisdiction, ClockKind.REQUEST, self._day(jurisdiction, since))
        return min((self.deadline(each, jurisdiction, since) for each in clocks), default=None)

    def deadline(self, clock: Clock, jurisdiction: str, since: datetime) -> date:
        """Return the last day of the clock that began to run at the aware moment ``since``, whose own day counts not.

        Days are those of the jurisdiction's time zone.
        """
        start, days = self._day(jurisdiction, since), clock.days or 0
        if clock.counted is Counted.CALENDAR:
            return start + timedelta(days=days)
        return add_business_days(start, days, self.files.get(jurisdiction.upper(), _ABROAD).holidays)

    def is_over(self, deadline: date, jurisdiction: str, now: datetime) -> bool:
        """Return whether the deadline's day has ended in the jurisdiction at the aware moment ``now``."""
        return self._day(jurisdiction, now) > deadline

    def _day(self, jurisdiction: str, moment: datetime) -> date:
        return moment.astimezone(self.files.get(jurisdiction.upper(), _ABROAD).time_zone).date()


def read_clocks(texts: Iterable[tuple[str, str]]) -> Clocks:
    """Return the clocks of several files, each given as where it was found and its text.

    Raises MappingError, which names the file and the place, for one that is wrong, and for two of one jurisdiction.
    """
    files: dict[str, ClockFile] = {}
    for where, text in texts:
        file = parse_clock_file(text, where)
        if file.jurisdiction in files:
            raise MappingError(
                f"The clocks {where} are of {file.jurisdiction}, as those of another file are.",
                "Put all clocks of a jurisdiction into one file.",
            )
        files[file.jurisdiction] = file
    return Clocks(files)


def parse_clock_file(text: str, where: str) -> ClockFile:
    """Return the clocks in YAML text; ``where`` names its source in errors. Raises MappingError."""
    return read_model(text, ClockFile, f"The clocks {where}", _known_keys)


def clocks_schema() -> dict[str, Any]:
    """Return the JSON Schema of a file of clocks, for editors. ``mappings/clocks/clocks.schema.json`` holds it."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **ClockFile.model_json_schema()}


def _known_keys(place: Sequence[str]) -> list[str]:
    known = {"clocks": Clock}.get(place[0], ClockFile) if len(place) > 1 else ClockFile
    return [each.alias or name for name, each in known.model_fields.items()]
