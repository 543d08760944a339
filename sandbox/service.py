"""The contract of a stand-in: state, ASGI application, the settings that point at it, and its faults."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import RLock
from typing import Any, ClassVar, Protocol, TypeVar

from starlette.types import ASGIApp

from .clock import SandboxClock
from .dataset import Person
from .fault_gate import FaultGate
from .fault_kinds import Fault
from .faults import Faults, ServiceSettings
from .traits import Traits

T = TypeVar("T", bound=Traits)


@dataclass(frozen=True, slots=True)
class ServiceContext:
    """What every stand-in is built from: the same people, one shared clock, and the seed of its credentials.

    With `companions` the fields that `ringfence setup` creates already exist in a CRM. `traits` are what the account is
    like, of the model that the stand-in names.
    """

    people: Sequence[Person]
    clock: SandboxClock
    companions: bool = True
    seed: int = 7
    traits: Traits = field(default_factory=Traits)

    def traits_as(self, model: type[T]) -> T:
        """Return the traits as the stand-in's own model: its defaults where none of that kind were given."""
        return self.traits if isinstance(self.traits, model) else model()


class ServiceState(Protocol):
    """What a stand-in holds: requests are answered under `lock`, and pass through `faults` while there are some."""

    lock: RLock
    faults: FaultGate[Any] | None


class Service(ABC):
    """A stand-in that can be served; takes its ServiceContext.

    `fault_paths` are its endpoints as templates, `fault_kinds` the faults that it can have, and `fault_settings` is
    its section of a faults file. `traits` is its section of an org file; one without such choices leaves it out.
    """

    fault_paths: ClassVar[tuple[str, ...]]
    fault_kinds: ClassVar[tuple[type[Fault], ...]]
    fault_settings: ClassVar[type[ServiceSettings]]
    traits: ClassVar[type[Traits]] = Traits

    @abstractmethod
    def __init__(self, context: ServiceContext) -> None: ...

    @property
    @abstractmethod
    def state(self) -> ServiceState:
        """The data of the service, for tests and trials that inspect or change it."""

    @abstractmethod
    def app(self) -> ASGIApp:
        """Return the ASGI application that answers for it; it sends its own Date header."""

    @abstractmethod
    def settings(self, url: str) -> dict[str, str]:
        """Return the environment variables that point ringfence at it, when it is served at an address."""

    @abstractmethod
    def fault_gate(self, faults: Faults) -> FaultGate[Any]:
        """Return the gate that injects faults; raises FaultsError for objects or fields that the service lacks."""

    def served_at(self, url: str) -> None:  # noqa: B027  # most services need not know
        """Learn the address that the service answers at; by default it does not matter."""

    def set_faults(self, faults: Faults | None) -> None:
        """Replace the faults of the service; None ends them.

        Raises FaultsError for objects or fields that the service does not have; then it has no faults.
        """
        with self.state.lock:
            if self.state.faults is not None:
                self.state.faults.close()
            self.state.faults = None

            if faults is not None:
                self.state.faults = self.fault_gate(faults)
