"""Salesforce as a CRM port."""

from __future__ import annotations

from ringfence.core.ports import CrmPlugin

from .connector import NAME, SalesforceCrm
from .schema import companion_name
from .settings import SalesforceSettings, is_configured

plugin = CrmPlugin(
    name=NAME,
    settings=SalesforceSettings,
    configured=is_configured,
    companion_name=companion_name,
    connect=SalesforceCrm,
)

__all__ = ["plugin"]
