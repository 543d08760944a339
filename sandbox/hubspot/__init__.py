"""A HubSpot portal on loopback: CRM v3 objects, search, properties and account information."""

from .app import hubspot_app
from .portal import HubSpotPortal

__all__ = ["HubSpotPortal", "hubspot_app"]
