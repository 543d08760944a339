"""What a portal is like: the section `hubspot` of an org file."""

from __future__ import annotations

from pydantic import Field

from ..traits import Traits


class HubSpotTraits(Traits):
    """HubSpot: what is left out is as in most portals."""

    production: bool = Field(False, description="Whether the portal says that it is no sandbox.")
    tells_scopes: bool = Field(
        True, description="Whether HubSpot tells the scopes of the token, as it does of private apps' tokens."
    )
