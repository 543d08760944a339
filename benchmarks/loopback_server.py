"""The process behind loopback.py: one CRM of the sandbox.

Prints the settings that point ringfence at it as a line of JSON. Each line of JSON on standard input, ``{"advance":
SECONDS}`` or ``{}``, is answered with what has been counted. It ends with its input.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from ringfence.sandbox.clock import SandboxClock
from ringfence.sandbox.dataset import Person, people
from ringfence.sandbox.hubspot.app import hubspot_app
from ringfence.sandbox.hubspot.portal import HubSpotPortal
from ringfence.sandbox.salesforce.app import salesforce_app
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import LoopbackServer

NO_LIMIT = 10**9


def main() -> None:
    """Fill a CRM, serve it, and answer until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("crm", choices=("salesforce", "hubspot"))
    parser.add_argument("records", type=int)
    parser.add_argument("--latency", type=int, default=0, help="milliseconds added to every answer")
    given = parser.parse_args()
    clock = SandboxClock()
    crowd = (replace(person, screened="never", lead=False) for person in people(given.records, now=clock.now()))
    crm: SalesforceOrg | HubSpotPortal

    if given.crm == "salesforce":
        crm = SalesforceOrg(people=crowd, clock=clock)
        app: ASGIApp = salesforce_app(crm)
    else:
        crm = _portal(crowd, clock)
        app = hubspot_app(crm)

    # A million records that live as long as the process are no work for the garbage collector.
    gc.collect()
    gc.freeze()
    server = LoopbackServer(_late(app, given.latency / 1000))
    server.start()
    server.await_ready()
    if isinstance(crm, SalesforceOrg):
        crm.instance_url = server.url
    _say(_settings(crm, server.url))
    for line in sys.stdin:
        clock.advance(json.loads(line).get("advance", 0))
        _say({"requests": crm.requests.total(), "cpu_s": time.process_time()})

    server.ask_to_stop()
    server.join()


def _portal(crowd: Iterable[Person], clock: SandboxClock) -> HubSpotPortal:
    portal = HubSpotPortal(people=crowd, clock=clock)
    # The portal's pace would hide everybody's own; searches keep theirs, for ringfence never goes faster.
    portal.calls.limit = portal.daily.limit = NO_LIMIT
    return portal


def _late(app: ASGIApp, seconds: float) -> ASGIApp:
    """Return the application with that much delay before each request is handled."""
    if not seconds:
        return app

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(seconds)
        await app(scope, receive, send)

    return late


def _settings(crm: SalesforceOrg | HubSpotPortal, url: str) -> dict[str, str]:
    if isinstance(crm, SalesforceOrg):
        return {"RINGFENCE_SALESFORCE__INSTANCE_URL": url, "RINGFENCE_SALESFORCE__ACCESS_TOKEN": crm.access_token}
    return {"RINGFENCE_HUBSPOT__BASE_URL": url, "RINGFENCE_HUBSPOT__ACCESS_TOKEN": crm.access_token}


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
