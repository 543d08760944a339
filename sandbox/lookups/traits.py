"""What the accounts at lookup providers are like: the section `lookups` of an org file."""

from __future__ import annotations

from pydantic import Field

from ..traits import Traits


class LookupsTraits(Traits):
    """Lookup providers: what is left out is as in most accounts."""

    credit: dict[str, int] = Field(
        default_factory=dict, description="Provider -> how many numbers the account still pays for; else without end."
    )
    requests_per_second: int = Field(300, ge=1, description="Calls a second at each provider.")
