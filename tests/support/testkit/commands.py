"""What a command of ringfence leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Result:
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)

    def total(self, name: str) -> int:
        """A count of a sync over all objects."""
        return sum(counts[name] for counts in self.document["objects"].values())


Cli = Callable[..., Result]
"""Runs the command line with these words, in the test's own process."""
