"""HubSpot as a CRM port."""

from __future__ import annotations

from ringfence.core.ports import CrmPlugin

from .connector import NAME, HubSpotCrm
from .schema import companion_name
from .settings import HubSpotSettings, is_configured

plugin = CrmPlugin(
    name=NAME,
    settings=HubSpotSettings,
    configured=is_configured,
    companion_name=companion_name,
    connect=HubSpotCrm,
)

__all__ = ["plugin"]
