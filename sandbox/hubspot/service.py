"""The portal as a service of the sandbox."""

from __future__ import annotations

from starlette.types import ASGIApp

from ..fault_kinds import ANSWER_FAULTS, RECORD_FAULTS
from ..faults import Faults
from ..service import Service, ServiceContext
from .app import ENDPOINTS, hubspot_app
from .fault_kinds import PORTAL_FAULTS, HubSpotSettings
from .faults import HubSpotFaults
from .portal import HubSpotPortal
from .traits import HubSpotTraits


class HubSpotService(Service):
    """HubSpot: a portal whose contacts are the context's people."""

    fault_paths = tuple(dict.fromkeys(endpoint.path for endpoint in ENDPOINTS if endpoint.method != "ANY"))
    fault_kinds = (*ANSWER_FAULTS, *RECORD_FAULTS, *PORTAL_FAULTS)
    fault_settings = HubSpotSettings
    traits = HubSpotTraits

    def __init__(self, context: ServiceContext) -> None:
        self._clock = context.clock
        self._portal = HubSpotPortal(
            people=context.people,
            clock=context.clock,
            companions=context.companions,
            seed=context.seed,
            traits=context.traits_as(HubSpotTraits),
        )

    @property
    def state(self) -> HubSpotPortal:
        """The portal."""
        return self._portal

    def app(self) -> ASGIApp:
        """Return the HTTP API of the portal."""
        return hubspot_app(self._portal)

    def settings(self, url: str) -> dict[str, str]:
        """Return address, access token, and the secret by which the portal signs its calls."""
        return {
            "RINGFENCE_HUBSPOT__BASE_URL": url,
            "RINGFENCE_HUBSPOT__ACCESS_TOKEN": self._portal.access_token,
            "RINGFENCE_HUBSPOT__CLIENT_SECRET": self._portal.client_secret,
        }

    def fault_gate(self, faults: Faults) -> HubSpotFaults:
        """Return the gate that injects faults into the portal."""
        return HubSpotFaults(self._portal, self._clock, faults)
