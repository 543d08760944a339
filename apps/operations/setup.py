"""The companion fields of an account: created in the CRM, or written as a project that an admin deploys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ringfence.core.errors import FileError
from ringfence.core.ports.crm import Org, SetupStep

from ..wiring import Connection, Wiring
from .door import CreateFields, Door


@dataclass(frozen=True, slots=True)
class Setup:
    """What is to be created in an account that is connected."""

    connection: Connection
    org: Org
    steps: Sequence[SetupStep]

    @property
    def api_calls(self) -> int:
        """Return how many calls were made so far."""
        return sum(self.connection.crm.calls.values())

    def create(self, door: Door) -> Iterator[SetupStep]:
        """Create the steps in turn and yield each that is done. Raises UsageError when the door does not confirm."""
        if self.org.production and self.steps:
            door.confirm(CreateFields(self.org, self.steps))
        yield from self.connection.crm.apply_setup(self.steps)


@contextmanager
def plan_setup(wiring: Wiring, crm: str, mapping: Path | None = None) -> Iterator[Setup]:
    """Yield what setup would create, for as long as the CRM stays connected. Nothing is created before ``create``."""
    connection = wiring.connect(crm, mapping)
    with closing(connection.crm):
        org = connection.crm.identify()
        yield Setup(connection, org, connection.crm.plan_setup())


def emit_setup(wiring: Wiring, crm: str, folder: Path, mapping: Path | None = None) -> Sequence[Path]:
    """Write what setup creates as a deployable project and return its files. Raises FileError for a bad folder."""
    with closing(wiring.connect(crm, mapping).crm) as connected:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return connected.emit_setup(folder)
        except OSError as error:
            raise FileError(f"{folder} cannot be written: {error.strerror}.", "Name another folder.") from error
