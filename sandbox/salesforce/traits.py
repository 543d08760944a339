"""What an org is like: the section `salesforce` of an org file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from ..traits import Traits

Edition = Literal[
    "Developer Edition", "Professional Edition", "Enterprise Edition", "Unlimited Edition", "Team Edition"
]

Scope = Literal["api", "refresh_token", "full", "web", "id", "openid", "profile", "email"]


class SalesforceTraits(Traits):
    """Salesforce: what is left out is as in most orgs."""

    production: bool = Field(False, description="Whether the org says that it is no sandbox.")
    edition: Edition = "Enterprise Edition"
    app_scopes: tuple[Scope, ...] = Field(
        ("api", "refresh_token"), description="OAuth scopes of the app; without refresh_token no JWT log-in."
    )
    own_audience: bool = Field(False, description="A JWT assertion may name the org's own address as audience.")
    hidden_fields: Mapping[str, tuple[str, ...]] | None = Field(
        None, description="Fields of objects that its user does not see; unset: DoNotCall of an org before set-up."
    )
    hidden_objects: tuple[str, ...] = Field(
        (), description="Objects that its user may not read before a permission set lets it."
    )
    trigger_limits: Mapping[str, int] = Field(
        {},
        description="Objects, and the rows that their Apex triggers get through at once; of more, none is written.",
    )
    duplicate_rules: Mapping[str, Literal["alert", "block"]] = Field(
        {}, description="Objects, and what happens to a row that is given the phone of another: alert lets it be saved."
    )
    userinfo: Literal["answered", "forbidden", "missing"] = Field(
        "answered", description="What /services/oauth2/userinfo says to the token: the user, 403 or 404."
    )
    slow_queries_above: int | None = Field(
        None,
        ge=0,
        description="Rows of an object from which a query over REST times out, unless an index finds fewer of them.",
    )
    scattered_ids: bool = Field(False, description="Ids do not rise in time.")
    person_accounts: bool = Field(False, description="Every third contact is a person account.")
    data_protection: bool = Field(
        False, description="Data Protection and Privacy is on: Individual, ContactPointTypeConsent and links to them."
    )
    privacy_data: bool = Field(
        True, description="Whether its user may ask the Consent API, which orgs with data_protection have."
    )
    record_types: Mapping[str, Mapping[str, Mapping[str, tuple[str, ...]]]] = Field(
        {},
        description="Record types by object and name, and the values each has of the picklists that it limits.",
    )
    flows: Mapping[str, tuple[str, ...]] = Field(
        {"Contact": ("Contact: keep the account in step",), "Lead": ("Lead: assign by region",)},
        description="Active record-triggered flows by object; they are named and do nothing.",
    )
    apex_triggers: Mapping[str, tuple[str, ...]] = Field(
        {"Contact": ("ContactTrigger",)},
        description="Active Apex triggers by object; they are named and do nothing.",
    )
    validation_rules: Mapping[str, tuple[str, ...]] = Field(
        {"Contact": ("Phone_or_email",), "Lead": ("Country_known", "Phone_or_email")},
        description="Active validation rules by object; they are named and refuse nothing.",
    )
    view_setup: bool = Field(True, description="Whether its user has View Setup and Configuration, and so sees these.")
    fields_in_use: dict[str, str] = Field(
        {}, description="Custom fields (Object.Field__c) that cannot be deleted, and what uses each: Flow - Call list."
    )
