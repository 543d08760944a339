"""The org as a service of the sandbox."""

from __future__ import annotations

from starlette.types import ASGIApp

from ..fault_kinds import ANSWER_FAULTS, RECORD_FAULTS
from ..faults import Faults
from ..service import Service, ServiceContext
from .app import salesforce_app
from .auth import IDENTITY
from .fault_kinds import ORG_FAULTS, SalesforceSettings
from .faults import SalesforceFaults
from .org import SalesforceOrg
from .routes import ROUTES
from .traits import SalesforceTraits


class SalesforceService(Service):
    """Salesforce: an org of the context's people. Its address is instance URL and login URL alike."""

    fault_paths = (
        "/services/oauth2/token",
        "/services/oauth2/userinfo",
        IDENTITY,
        *(route.template or "/" for route in ROUTES),
    )
    fault_kinds = (*ANSWER_FAULTS, *RECORD_FAULTS, *ORG_FAULTS)
    fault_settings = SalesforceSettings
    traits = SalesforceTraits

    def __init__(self, context: ServiceContext) -> None:
        self._clock = context.clock
        self._org = SalesforceOrg(
            people=context.people,
            clock=context.clock,
            companions=context.companions,
            seed=context.seed,
            traits=context.traits_as(SalesforceTraits),
        )

    @property
    def state(self) -> SalesforceOrg:
        """The org."""
        return self._org

    def app(self) -> ASGIApp:
        """Return the HTTP API of the org."""
        return salesforce_app(self._org)

    def settings(self, url: str) -> dict[str, str]:
        """Return address and access token."""
        return {
            "RINGFENCE_SALESFORCE__INSTANCE_URL": url,
            "RINGFENCE_SALESFORCE__ACCESS_TOKEN": self._org.access_token,
        }

    def fault_gate(self, faults: Faults) -> SalesforceFaults:
        """Return the gate that injects faults into the org."""
        return SalesforceFaults(self._org, self._clock, faults)

    def served_at(self, url: str) -> None:
        """Let the org know its instance URL, which it names in OAuth answers."""
        self._org.instance_url = url
