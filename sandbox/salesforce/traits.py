"""What an org is like: the section `salesforce` of an org file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..traits import Traits

Edition = Literal[
    "Developer Edition", "Professional Edition", "Enterprise Edition", "Unlimited Edition", "Team Edition"
]


class SalesforceTraits(Traits):
    """Salesforce: what is left out is as in most orgs."""

    production: bool = Field(False, description="Whether the org says that it is no sandbox.")
    edition: Edition = "Enterprise Edition"
