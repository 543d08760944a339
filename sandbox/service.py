"""What a stand-in is to the sandbox: a state, an ASGI application over it, settings that point at it, faults."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from threading import RLock
from typing import Any, ClassVar, Protocol

from starlette.types import ASGIApp

from .clock import SandboxClock
from .dataset import Person
from .fault_gate import FaultGate
from .fault_kinds import Fault
from .faults import Faults, ServiceSettings


@dataclass(frozen=True, slots=True)
class ServiceContext:
    """What every stand-in is made of: the same people, one shared clock, and the seed of its made-up credentials.

    With `companions` the fields that `ringfence setup` creates exist already in a CRM.
    """

    people: Sequence[Person]
    clock: SandboxClock
    companions: bool = True
    seed: int = 7


class ServiceState(Protocol):
    """What a stand-in holds: requests are answered under `lock`, and pass through `faults` while there are some."""

    lock: RLock
    faults: FaultGate[Any] | None


class Service(ABC):
    """A stand-in that can be served; takes its ServiceContext.

    `fault_paths` are its endpoints as templates, `fault_kinds` the faults that it can have, and `fault_settings` is
    its section of a faults file.
    """

    fault_paths: ClassVar[tuple[str, ...]]
    fault_kinds: ClassVar[tuple[type[Fault], ...]]
    fault_settings: ClassVar[type[ServiceSettings]]

    @abstractmethod
    def __init__(self, context: ServiceContext) -> None: ...

    @property
    @abstractmethod
    def state(self) -> ServiceState:
        """What the service holds, for tests and trials that look into it."""

    @abstractmethod
    def app(self) -> ASGIApp:
        """Return the ASGI application that answers for it; it sends its own Date header."""

    @abstractmethod
    def settings(self, url: str) -> dict[str, str]:
        """Return the environment variables that point ringfence at it, when it is served at an address."""

    @abstractmethod
    def fault_gate(self, faults: Faults) -> FaultGate[Any]:
        """Return what lets faults happen; raises FaultsError for what the service does not have."""

    def served_at(self, url: str) -> None:  # noqa: B027  # most services need not know
        """Take note of the address that it answers at from now on."""

    def set_faults(self, faults: Faults | None) -> None:
        """End the faults that there are, and begin with these; None, or faults of other services, leaves it sound.

        Raises FaultsError for what the service does not have; then it has no faults.
        """
        with self.state.lock:
            if self.state.faults is not None:
                self.state.faults.close()
            self.state.faults = None

            if faults is not None:
                self.state.faults = self.fault_gate(faults)
