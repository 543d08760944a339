"""The log-in: one bearer token on one kept API client."""

from __future__ import annotations

from hubspot.crm.objects import ApiClient, Configuration

from ringfence.core.errors import SettingsError

from .settings import VARIABLE, HubSpotSettings, is_configured

POOL_SIZE = 8
"""Connections kept open; the pacing allows no more calls at once than these serve."""


def open_api(settings: HubSpotSettings) -> ApiClient:
    """Return one API client, to be kept: its connection pool serves every endpoint.

    The client library gives each package a pool of its own and reopens it at every attribute access, so the API
    objects of other packages are built on this one client too. Its hidden retries are off, because they retry what
    may not be repeated and nothing that should be (hubspot.md, section 1.2). Raises SettingsError without a
    token.
    """
    if not is_configured(settings) or settings.access_token is None:
        raise SettingsError(
            f"{VARIABLE}ACCESS_TOKEN is not set.", "Set it to a service key or to the token of your HubSpot app."
        )

    configuration = Configuration(host=settings.base_url)
    configuration.access_token = settings.access_token.get_secret_value().strip()
    configuration.retries = False
    configuration.connection_pool_maxsize = POOL_SIZE
    client = ApiClient(configuration)
    client.user_agent = "ringfence"
    return client


def close_api(client: ApiClient) -> None:
    """Close the client's connections."""
    client.rest_client.pool_manager.clear()
