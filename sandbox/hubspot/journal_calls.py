"""The webhooks journal of the portal's app: its sign-in, the places in it, and its files."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from . import instants
from .call import Answer, Call
from .errors import RefusalError, not_found
from .state import PortalState

LASTS_S = 1_800
"""Seconds for which a token of the app is said to be good."""


def sign_in(portal: PortalState, call: Call) -> Answer:
    """Answer `POST /oauth/v1/token`: a token for the app by its own id and secret; 400 for any other."""
    form = {name: values[0] for name, values in parse_qs(call.text()).items()}
    known = {"grant_type": "client_credentials", "client_id": portal.client_id, "client_secret": portal.client_secret}
    if any(form.get(name) != value for name, value in known.items()):
        raise RefusalError(400, {"status": "BAD_CLIENT_ID", "message": "missing or unknown client id"}, counted=False)
    return Answer(200, {"access_token": portal.app_token, "token_type": "bearer", "expires_in": LASTS_S})


def latest(portal: PortalState, call: Call) -> Answer:
    """Answer `latest`: the newest entry."""
    if not portal.journal.entries:
        return Answer(204)
    return _entry(portal, call, len(portal.journal.entries))


def after(portal: PortalState, call: Call) -> Answer:
    """Answer `offset/{offset}/next`: the entry behind a place; 204 where there is none, 404 for one that is gone."""
    given = call.params["offset"].removeprefix("at-")
    if not given.isdecimal() or int(given) < portal.journal.dropped or int(given) > len(portal.journal.entries):
        raise not_found("The offset does not exist or has expired", "JOURNAL.OFFSET_NOT_FOUND")
    place = int(given) + 1
    return Answer(204) if place > len(portal.journal.entries) else _entry(portal, call, place)


def read_file(portal: PortalState, call: Call) -> Answer:
    """Answer the address of an entry: its events."""
    place = int(call.params["place"])
    events = list(portal.journal.entries[place - 1])
    return Answer(
        200, {"offset": f"at-{place}", "journalEvents": events, "publishedAt": instants.instant(portal.now())}
    )


def _entry(portal: PortalState, call: Call, place: int) -> Answer:
    parts = urlsplit(call.url)
    url = f"{parts.scheme}://{parts.netloc}/journal-files/{place}"
    return Answer(
        200, {"url": url, "expiresAt": instants.instant(portal.now() + 3_600_000), "currentOffset": f"at-{place}"}
    )
