"""What a sandbox portal holds: records, definitions, limits, switches and counters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random
from threading import RLock
from typing import Any, Literal
from uuid import UUID

from ..clock import Clock
from ..fault_gate import FaultGate
from ..rates import DailyCounter, RollingWindow
from . import instants
from .call import Answer
from .definitions import GROUP, Definition, companions, standard
from .errors import property_problem
from .formatting import PhoneFormatting
from .journal import Journal
from .store import ObjectStore
from .traits import HubSpotTraits
from .workflows import Workflows

AUTOMATION = "automation"
"""The scope that completing executions of workflows takes."""

SCOPES = {AUTOMATION} | frozenset(
    f"crm.{area}.{name}.{access}"
    for area in ("objects", "schemas")
    for name in ("contacts", "companies")
    for access in ("read", "write")
)
"""What the token may do by default."""

LOW_IDS = 0.3
"""How many of the new records get an id below those that are there."""

RefuseRow = Callable[[str, Mapping[str, str]], tuple[str, str] | None]
"""Takes the id of a contact and the values to set; returns (error, message) to refuse them, else None."""


class PortalState:
    """The data of one portal, without records at first.

    `seed` draws its ids and its token; `traits` are what it is like, and tests may set others. Whoever
    reads or changes the state from another thread than the server's holds `lock`.

    Switches that tests set: `scopes`, `search_lag_s` (the search index is that many seconds behind), `invalid_value`
    (one bad value refuses the "whole" batch or the "row" only), `noop_bumps` (a write that changes nothing moves the
    modification time), `refuse_row` (a rule of the portal about values), `searches.limit` (per second), `calls.limit`
    (per ten seconds), `daily.limit`.
    """

    def __init__(self, clock: Clock, *, traits: HubSpotTraits, seed: int) -> None:
        rng = Random(seed)  # noqa: S311 -- made-up ids and a token for loopback, not a secret
        self.clock = clock
        self.traits = traits
        self.lock = RLock()

        self.portal_id = rng.randrange(20_000_000, 50_000_000)
        self.app_id = str(rng.randrange(1_000_000, 9_000_000))
        self.access_token = f"pat-na1-{rng.randbytes(16).hex()}"
        self.client_secret = str(UUID(bytes=Random(f"{seed} client secret").randbytes(16)))  # noqa: S311 -- as above
        self.client_id = str(UUID(bytes=Random(f"{seed} client id").randbytes(16)))  # noqa: S311 -- as above
        self.app_token = f"app-{Random(f'{seed} app token').randbytes(16).hex()}"  # noqa: S311 -- as above
        self.account_type = "STANDARD" if traits.production else "SANDBOX"
        self.scopes: set[str] = set(SCOPES if traits.scopes is None else traits.scopes)

        self.workflows = Workflows()
        self.journal = Journal()
        self.requests: Counter[str] = Counter()
        self.searches = RollingWindow(5, 1)
        self.calls = RollingWindow(190, 10)
        self.daily = DailyCounter(625_000)

        self.invalid_value: Literal["whole", "row"] = "whole"
        self.noop_bumps = True
        self.refuse_row: RefuseRow | None = None
        self.formatting: PhoneFormatting | None = None
        self.faults: FaultGate[Answer] | None = None

        self.definitions = {name: standard(name) for name in ("contacts", "companies")}
        self.archived_definitions: dict[str, dict[str, Definition]] = {name: {} for name in self.definitions}
        self.groups = {name: _groups(known.values()) for name, known in self.definitions.items()}
        self.stores = {
            "contacts": ObjectStore("CONTACT", "lastmodifieddate"),
            "companies": ObjectStore("COMPANY", "hs_lastmodifieddate"),
        }
        self.associations: dict[tuple[str, int, str], dict[int, list[int]]] = {}
        self._rng = rng
        self._last_id = 70_000_000_000
        self._last_low_id = 30_000_000_000

    @property
    def contacts(self) -> Mapping[str, Mapping[str, str]]:
        """The live contacts: id -> property values (set ones only), for inspection."""
        return _Inspection(self.stores["contacts"])

    @property
    def search_lag_s(self) -> float:
        """How many seconds the search index is behind the truth."""
        return self.stores["contacts"].index.lag / 1000

    @search_lag_s.setter
    def search_lag_s(self, seconds: float) -> None:
        for store in self.stores.values():
            store.index.lag = int(seconds * 1000)

    def now(self) -> int:
        """The present moment of the portal in epoch milliseconds."""
        return instants.to_milliseconds(self.clock.now())

    def new_id(self) -> int:
        """Return an id that no record has had. They do not rise in time: a newer record may have a lower one."""
        if self._rng.random() < LOW_IDS:
            self._last_low_id += self._rng.randrange(1, 50)
            return self._last_low_id
        return self.next_id()

    def next_id(self) -> int:
        """Return an id above all others."""
        self._last_id += self._rng.randrange(1, 50)
        return self._last_id

    def problems(self, record_id: str, values: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return the objections of `refuse_row` to the values of a write, as a refused write lists them."""
        found = self.refuse_row(record_id, values) if self.refuse_row else None
        if found is None:
            return []
        name = next(iter(values), "hs_object_id")
        return [property_problem(name, *found, self.portal_id)]

    def create_companions(self) -> None:
        """Create the property group, the twelve companions and the opt-out flag, as `setup` does."""
        self.definitions["contacts"] |= companions(instants.instant(self.now()))
        self.groups["contacts"][GROUP] = {"name": GROUP, "label": "ringfence", "displayOrder": -1, "archived": False}


class _Inspection(Mapping[str, Mapping[str, str]]):
    """The live records of a store, as a mapping that follows every change."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def __getitem__(self, record_id: str) -> Mapping[str, str]:
        row = self._store.rows.get(int(record_id))
        if row is None or row.archived_at is not None:
            raise KeyError(record_id)
        return row.properties

    def __iter__(self) -> Iterator[str]:
        return map(str, list(self._store.order))

    def __len__(self) -> int:
        return len(self._store.order)


def _groups(definitions: Iterable[Definition]) -> dict[str, dict[str, object]]:
    names = dict.fromkeys(definition.group for definition in definitions)
    return {
        name: {"name": name, "label": name, "displayOrder": order, "archived": False}
        for order, name in enumerate(names)
    }
