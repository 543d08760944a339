"""What a portal is like: the section `hubspot` of an org file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..traits import Traits

Scope = Literal[
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.companies.read",
    "crm.objects.companies.write",
    "crm.schemas.contacts.read",
    "crm.schemas.contacts.write",
    "crm.schemas.companies.read",
    "crm.schemas.companies.write",
    "automation",
]


class HubSpotTraits(Traits):
    """HubSpot: what is left out is as in most portals."""

    production: bool = Field(False, description="Whether the portal says that it is no sandbox.")
    scopes: tuple[Scope, ...] | None = Field(
        None, description="What its token may do; unset: read and write the records and definitions of every object."
    )
    custom_properties: int = Field(1_000, ge=0, description="How many custom properties an object may have.")
    formats_phones: bool = Field(
        False, description="A moment after each write HubSpot brings phone numbers into a form of its own."
    )
    tells_scopes: bool = Field(
        True, description="Whether HubSpot tells the scopes of the token, as it does of private apps' tokens."
    )
    properties_in_use: dict[str, str] = Field(
        {}, description="Properties that cannot be deleted, and what uses each: the workflow Call list."
    )
