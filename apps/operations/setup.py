"""The companion fields of an account: created in the CRM, taken away again, or written as a project to deploy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from ringfence.core.model.shapes import ObjectShape
from ringfence.core.model.values import Companion
from ringfence.core.ports.crm import Org
from ringfence.core.ports.setup_steps import Removal, SetupStep
from ringfence.core.state.cursors import forget_cursors, register_org
from ringfence.core.state.leases import take_lease, this_process
from ringfence.core.state.store import Store

from ..wiring import Connection, Wiring
from .door import CreateFields, Door, RemoveFields
from .project_folder import write_project

_TELLS_NOTHING_DUE = frozenset({Companion.REASON, Companion.LINE_TYPE})
"""Companions that no slot is due for: whether a verdict is current, the others tell."""

Act = Callable[[Iterable[SetupStep]], Iterator[SetupStep]]


@dataclass(frozen=True, slots=True)
class Setup:
    """What is to be created in an account that is connected. ``remarks`` tells what is there and differs."""

    wiring: Wiring
    connection: Connection
    org: Org
    steps: Sequence[SetupStep]
    remarks: Sequence[str] = ()

    @property
    def api_calls(self) -> int:
        """Return how many calls were made so far."""
        return sum(self.connection.crm.calls.values())

    def create(self, door: Door) -> Iterator[SetupStep]:
        """Create the steps in turn and yield each that is done, or that the CRM refused.

        The next sync then reads every record: a field that is new is empty on all of them. Raises UsageError when the
        door does not confirm, BusyError while a run is at the account, and the errors of the state.
        """
        if not self.steps:
            return
        if self.org.production:
            door.confirm(CreateFields(self.org, self.steps))
        yield from _change_fields(self.wiring, self.org, self.connection.crm.apply_setup, self.steps)


@dataclass(frozen=True, slots=True)
class Unset:
    """What is to be taken away in an account that is connected."""

    wiring: Wiring
    connection: Connection
    org: Org
    removal: Removal

    @property
    def api_calls(self) -> int:
        """Return how many calls were made so far."""
        return sum(self.connection.crm.calls.values())

    def remove(self, door: Door) -> Iterator[SetupStep]:
        """Take the steps away in turn and yield each that is gone, or that the CRM refused. It asks in every account.

        Raises as :meth:`Setup.create` does.
        """
        if not self.removal.steps:
            return
        door.confirm(RemoveFields(self.org, self.removal))
        yield from _change_fields(self.wiring, self.org, self.connection.crm.apply_removal, self.removal.steps)


@contextmanager
def plan_setup(wiring: Wiring, crm: str, mapping: Path | None = None) -> Iterator[Setup]:
    """Yield what setup would create, for as long as the CRM stays connected. Nothing is created before ``create``."""
    with _connected(wiring, crm, mapping) as (connection, org):
        steps = connection.crm.plan_setup()
        remarks = [*connection.crm.setup_remarks(), *_filled_later(connection.shapes, steps)]
        yield Setup(wiring, connection, org, steps, remarks)


@contextmanager
def plan_removal(wiring: Wiring, crm: str, mapping: Path | None = None, *, opt_outs: bool = False) -> Iterator[Unset]:
    """Yield what there is to take away, for as long as the CRM stays connected. Nothing goes before ``remove``.

    With ``opt_outs`` the field that set-up made for people's opt-outs goes too.
    """
    with _connected(wiring, crm, mapping) as (connection, org):
        yield Unset(wiring, connection, org, connection.crm.plan_removal(opt_outs=opt_outs))


def emit_setup(wiring: Wiring, crm: str, folder: Path, mapping: Path | None = None, *, api: str = "") -> Sequence[Path]:
    """Write what setup creates as a deployable project and return its files. Needs no credentials and makes no call.

    ``api`` describes what the CRM may ask the service, as OpenAPI 3.0. Raises FileError for a folder that cannot be
    written or holds files of others, and the errors of the mapping.
    """
    return write_project(folder, crm, wiring.project(crm, mapping, api))


@contextmanager
def _connected(wiring: Wiring, crm: str, mapping: Path | None) -> Iterator[tuple[Connection, Org]]:
    connection = wiring.connect(crm, mapping)
    try:
        yield connection, connection.crm.identify()
    finally:
        connection.crm.close()


def _filled_later(shapes: Mapping[str, ObjectShape], steps: Iterable[SetupStep]) -> Iterator[str]:
    """Yield a sentence for each new companion that stands beside verdicts, and makes no slot due where it is empty."""
    new = {step.name for step in steps}
    for name, shape in shapes.items():
        for slot in shape.slots:
            created = {one for one, field in slot.companions.items() if f"{name}.{field}" in new}
            if created and created <= _TELLS_NOTHING_DUE:
                fields = ", ".join(f"{name}.{slot.companions[one]}" for one in Companion if one in created)
                yield f"{fields}: filled as the verdicts beside it age, or at once by `sync --rescreen`."


def _change_fields(wiring: Wiring, org: Org, act: Act, steps: Sequence[SetupStep]) -> Iterator[SetupStep]:
    """Do the steps while no run is at the account, and let the next sync read every record, however this ends."""
    with ExitStack() as held:
        store = wiring.open_state_if_there()
        if store is not None:
            held.callback(store.close)
            held.enter_context(_keeping_runs_out(wiring, store, org))
            held.callback(forget_cursors, store, org)
        yield from act(steps)


@contextmanager
def _keeping_runs_out(wiring: Wiring, store: Store, org: Org) -> Iterator[None]:
    lease = take_lease(store, register_org(store, org), f"setup-{uuid4().hex[:12]}", wiring.clock.now(), this_process())
    try:
        yield
    finally:
        lease.release()
