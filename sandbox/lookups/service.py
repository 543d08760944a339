"""The accounts at lookup providers as a service of the sandbox."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pydantic import Field
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp

from ..fault_gate import PAGE, FaultGate
from ..fault_kinds import ANSWER_FAULTS, Refuse
from ..fault_rules import ActiveRule, RequestFacts
from ..faults import Faults, ServiceSettings
from ..service import Service, ServiceContext
from .app import ENDPOINT, lookups_app
from .state import VOICES, LookupAccounts
from .traits import LookupsTraits


class LookupsSettings(ServiceSettings):
    """Lookup providers: the limit of each of them. What is left out stays as it is."""

    requests_per_second: int | None = Field(None, ge=1)


class LookupsFaults(FaultGate[Response]):
    """The faults of all accounts."""

    service = "lookups"

    def __init__(self, accounts: LookupAccounts, faults: Faults) -> None:
        super().__init__(faults)
        given = faults.section(self.service, LookupsSettings)
        for window in accounts.windows.values():
            self.swaps.set(window, "limit", given.requests_per_second)

    def change_state(self, active: ActiveRule, facts: RequestFacts) -> None:
        """Do nothing: nobody else changes an account."""

    @contextmanager
    def altered(self, due: Iterable[ActiveRule]) -> Iterator[None]:
        """Change nothing while a request is handled. A context."""
        yield

    def refusal(self, fault: Refuse, facts: RequestFacts) -> Response:
        """Return an error with a status; a web page for one that comes from the edge."""
        edge = fault.status in (502, 504, 520, 524)
        answer: Response = HTMLResponse(PAGE, fault.status) if edge else JSONResponse({"error": "fault"}, fault.status)
        if fault.retry_after is not None:
            answer.headers["Retry-After"] = str(fault.retry_after)
        return answer

    def page(self, status: int, text: str) -> Response:
        """Return a web page."""
        return HTMLResponse(text, status)


class LookupsService(Service):
    """Lookup providers: accounts that answer for any number, whoever the people are."""

    fault_paths = (ENDPOINT,)
    fault_kinds = ANSWER_FAULTS
    fault_settings = LookupsSettings
    traits = LookupsTraits

    def __init__(self, context: ServiceContext) -> None:
        traits = context.traits_as(LookupsTraits)
        self._accounts = LookupAccounts(clock=context.clock, seed=context.seed, traits=traits)

    @property
    def state(self) -> LookupAccounts:
        """The accounts."""
        return self._accounts

    def app(self) -> ASGIApp:
        """Return the APIs of the providers."""
        return lookups_app(self._accounts)

    def settings(self, url: str) -> dict[str, str]:
        """Return the addresses and credentials; which lookups to buy is left open."""
        settings: dict[str, str] = {}
        for name in VOICES:
            prefix = f"RINGFENCE_{name.upper().replace('-', '_')}__"
            keys = {setting: value for setting, value in self._accounts.keys[name].items() if setting != "PUBLIC_KEY"}
            settings |= {f"{prefix}BASE_URL": f"{url}/{name}"}
            settings |= {f"{prefix}{setting}": value for setting, value in keys.items()}
        return settings | {"RINGFENCE_VONAGE__PRIVATE_KEY_FILE": str(self._accounts.private_key_file)}

    def fault_gate(self, faults: Faults) -> LookupsFaults:
        """Return the gate that injects faults into the accounts."""
        return LookupsFaults(self._accounts, faults)
