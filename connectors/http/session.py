"""The session that requests go by: it follows no redirect, and reaches this machine by no proxy."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any
from urllib.parse import urlsplit

import requests

from ringfence.core.config.addresses import is_loopback


class CarefulSession(requests.Session):
    """A session that takes what it sends, credentials and numbers among it, to no host but the one it is told.

    A redirect is an answer like any other: whoever sent it may be nobody that the settings know. The proxies of the
    environment serve for other machines only, for they see in clear text what goes to a loopback address.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 - the parameters of requests
        """Return None: there is nothing to follow."""
        return

    def merge_environment_settings(
        self,
        url: str | bytes | None,
        proxies: MutableMapping[str, str] | None,
        stream: bool | None,
        verify: bool | str | None,
        cert: Any,
    ) -> Any:
        """Return the settings of a request as requests does, without proxies for a loopback address."""
        settings: Mapping[str, Any] = super().merge_environment_settings(url, proxies, stream, verify, cert)
        host = urlsplit(url.decode() if isinstance(url, bytes) else url or "").hostname
        return {**settings, "proxies": {}} if host and is_loopback(host) else settings
