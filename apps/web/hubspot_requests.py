"""What HubSpot sends: let in where HubSpot has signed it, and as the JSON that was signed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request

from ringfence.connectors.hubspot.signatures import Finding, SignedRequest, called_uri, judge

from ..operations.portals import Portal, Portals
from .bodies import read_body, read_json
from .metrics import count
from .problems import ProblemError
from .service import Served

_WHY = {
    Finding.MISSING: "it has no signature",
    Finding.REFUSED_VERSION: "its signature is of a version that is not accepted",
    Finding.STALE: "its time is missing or more than five minutes away",
    Finding.WRONG: "its signature is wrong; the public URL or the client secret may be another one",
    Finding.NO_SECRET: "RINGFENCE_HUBSPOT__CLIENT_SECRET is not set",
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Signed:
    """A request that HubSpot signed: its JSON ``document``, and what the signature is made over."""

    document: Any
    portals: Portals
    request: SignedRequest
    headers: Mapping[str, str]
    at: datetime

    def find_portal(self, portal_id: str) -> Portal:
        """Return the portal that the request is about, in whose name it was signed.

        Raises ProblemError: 403 for a portal that no account is, 401 where another portal's secret signed it.
        """
        portal = self.portals.find(portal_id)
        if portal is None:
            count("hubspot_requests", finding="unknown_portal")
            logger.warning("HubSpot called for portal %s, which no account is.", portal_id)
            raise ProblemError(
                403,
                "No account of this service is that portal. Set up its token, then let HubSpot call again.",
                code="unknown_portal",
            )
        if not judge(self.request, self.headers, [portal.secret], self.at).is_genuine:
            raise _refusal(Finding.WRONG)
        return portal


async def find_portals(request: Request, service: Served) -> Portals:
    """Return the portals that the service has accounts for, kept with the application."""
    state = request.app.state
    if not hasattr(state, "portals"):
        state.portals = Portals(service.wiring, service.store)
    portals: Portals = state.portals
    return portals


def read_signed(
    request: Request,
    service: Served,
    portals: Annotated[Portals, Depends(find_portals)],
    body: Annotated[bytes, Depends(read_body)],
) -> Signed:
    """Return a request that HubSpot signed. Raises ProblemError: 401 for any other, 422 for a body that is no JSON."""
    raw_path = request.scope.get("raw_path") or request.url.path.encode()
    uri = called_uri(service.public_url, raw_path.decode("latin-1"), request.scope["query_string"].decode("latin-1"))
    signed, at = SignedRequest(request.method, uri, body), service.clock.now()
    finding = judge(signed, request.headers, portals.secrets(), at)
    if not finding.is_genuine:
        raise _refusal(finding)
    count("hubspot_requests", finding=finding.value)
    return Signed(read_json(body), portals, signed, request.headers, at)


def _refusal(finding: Finding) -> ProblemError:
    """Count and tell a request that is not HubSpot's, and return its answer, which says nothing of the reason."""
    count("hubspot_requests", finding=finding.value)
    logger.warning("A request that should be HubSpot's is refused: %s.", _WHY[finding])
    return ProblemError(401, "HubSpot's signature of this request is missing or does not count.", code="signature")


FromHubSpot = Annotated[Signed, Depends(read_signed)]
"""The type of a route's parameter that is given a request which HubSpot signed."""
