"""The webhooks journal: what HubSpot would send as webhooks, to be fetched. It needs no address that HubSpot can reach.

The journal is a row of files, each with events in the order of time, kept for three days. An app signs in to it with
its own id and secret (client credentials), and reads the entries of one portal behind a place that it has kept:

    GET /webhooks-journal/journal-local/2026-03/latest                 the newest entry
    GET /webhooks-journal/journal-local/2026-03/offset/{place}/next    the one behind a place; 204 where there is none

An answer names the place and the address of the file, which needs no token. Which scopes the app takes is documented
with the API (developer.webhooks_journal.read, and those of the objects).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from ringfence.core.config.addresses import is_loopback
from ringfence.core.errors import AccessError, AuthenticationError, UnreachableError
from ringfence.core.ports.services import Clock

from ..http.session import CarefulSession
from .settings import VARIABLE, HubSpotSettings

_JOURNAL = "/webhooks-journal/journal-local/2026-03"
_SIGN_IN = "/oauth/v1/token"
_SCOPE = "developer.webhooks_journal.read"

TIMEOUT_S = (10.0, 30.0)
"""Seconds to connect and to wait for an answer."""

LARGEST = 50_000_000
"""Bytes of a file at most."""

_EARLY_S = 300.0
"""How long before its end a token is replaced, in seconds."""


class PlaceGoneError(Exception):
    """The place lies further back than the journal reaches: what has happened in between is not in it any more."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One entry: the ``place`` behind it, and its events as HubSpot words them, not read yet."""

    place: str
    address: str


class WebhooksJournal:
    """The journal of one app, read for one portal. Safe with threads."""

    def __init__(self, settings: HubSpotSettings, portal_id: str, clock: Clock) -> None:
        self._settings = settings
        self._portal = portal_id
        self._clock = clock
        self._session = CarefulSession()
        self._lock = threading.Lock()
        self._token = ""
        self._good_until = 0.0

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def latest(self) -> JournalEntry | None:
        """Return the newest entry; None where the journal is empty. Raises as :meth:`next` does."""
        return self._read_entry(f"{_JOURNAL}/latest", none_where=(204, 404))

    def next(self, place: str) -> JournalEntry | None:
        """Return the entry behind a place; None where there is none yet.

        Raises PlaceGoneError, AuthenticationError, AccessError and UnreachableError.
        """
        return self._read_entry(f"{_JOURNAL}/offset/{quote(place, safe='')}/next", none_where=(204,))

    def read_events(self, entry: JournalEntry) -> list[Any]:
        """Return the events of an entry. Raises UnreachableError."""
        parts = urlsplit(entry.address)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise UnreachableError("HubSpot's journal names a file at an address in clear text.", "Report it to them.")
        # Signed by itself: the token is nobody's business there.
        answer = self._send("GET", entry.address, {})
        if answer.status_code != requests.codes.ok or len(answer.content) > LARGEST:
            raise UnreachableError(f"A file of HubSpot's journal cannot be read (HTTP {answer.status_code}).", _LATER)
        document = _read_json(answer)
        events = document.get("journalEvents") if isinstance(document, Mapping) else None
        if not isinstance(events, list):
            raise UnreachableError("A file of HubSpot's journal is not what HubSpot documents.", _LATER)
        return events

    def _read_entry(self, path: str, *, none_where: tuple[int, ...]) -> JournalEntry | None:
        url = f"{self._settings.base_url.rstrip('/')}{path}"
        answer = self._send("GET", url, self._authorization(), params={"installPortalId": self._portal})
        status = answer.status_code
        if status in none_where:
            return None
        if status == requests.codes.not_found:
            raise PlaceGoneError
        if status == requests.codes.unauthorized:
            self._good_until = 0.0
            raise AuthenticationError("HubSpot's webhooks journal did not accept the app's token.", _CHECK)
        if status == requests.codes.forbidden:
            raise AccessError(f"The app may not read the webhooks journal; it needs the scope {_SCOPE}.", _CHECK)
        if status != requests.codes.ok:
            raise UnreachableError(f"HubSpot's webhooks journal answers HTTP {status}.", _LATER)

        told = _read_json(answer)
        place, address = (told.get("currentOffset"), told.get("url")) if isinstance(told, Mapping) else (None, None)
        if not isinstance(place, str | int) or not isinstance(address, str):
            raise UnreachableError("HubSpot's webhooks journal does not answer as documented.", _LATER)
        return JournalEntry(str(place), address)

    def _authorization(self) -> dict[str, str]:
        with self._lock:
            if self._clock.monotonic() >= self._good_until:
                self._sign_in()
            return {"Authorization": f"Bearer {self._token}"}

    def _sign_in(self) -> None:
        settings = self._settings
        form = {
            "grant_type": "client_credentials",
            "client_id": settings.client_id or "",
            "client_secret": settings.client_secret.get_secret_value() if settings.client_secret else "",
            "scope": _SCOPE,
        }
        answer = self._send("POST", f"{settings.base_url.rstrip('/')}{_SIGN_IN}", {}, data=form)
        if 400 <= answer.status_code < 500 and answer.status_code != requests.codes.too_many_requests:
            raise AuthenticationError("HubSpot did not let the app sign in to its webhooks journal.", _CHECK)
        told = _read_json(answer)
        token, lasts_s = (told.get("access_token"), told.get("expires_in")) if isinstance(told, Mapping) else ("", 0)
        if not answer.ok or not isinstance(token, str) or not token:
            raise UnreachableError(f"HubSpot's sign-in answers HTTP {answer.status_code}.", _LATER)
        self._token = token
        lasts_s = lasts_s if isinstance(lasts_s, int | float) else 0
        self._good_until = self._clock.monotonic() + max(60.0, lasts_s - _EARLY_S)

    def _send(self, method: str, url: str, headers: Mapping[str, str], **more: Any) -> requests.Response:
        try:
            return self._session.request(method, url, headers=dict(headers), timeout=TIMEOUT_S, **more)
        except requests.RequestException as error:
            raise UnreachableError(
                f"HubSpot's webhooks journal does not answer ({type(error).__name__}).", _LATER
            ) from None


_LATER = "It is asked again soon."
_CHECK = f"Check {VARIABLE}CLIENT_ID and CLIENT_SECRET, and the scopes of the app."


def _read_json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None
