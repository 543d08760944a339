"""The process behind loopback.py: CRM accounts of the sandbox, and a lookup provider.

Prints the settings that point ringfence at them as a line of JSON, ``{"settings": {...}, "accounts": {NAME: {...}}}``.
Each line of JSON on standard input, ``{"advance": SECONDS}``, ``{"contacts": FILE}`` or ``{}``, is answered with what
has been counted; the second has the contacts of the first account written to that file. It ends with its input.
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
from pathlib import Path
from typing import Any

from contact_lines import write_contacts
from request_watch import RequestWatch
from starlette.types import ASGIApp, Receive, Scope, Send

from ringfence.sandbox.clock import SandboxClock
from ringfence.sandbox.dataset import Person, people
from ringfence.sandbox.hubspot.app import hubspot_app
from ringfence.sandbox.hubspot.portal import HubSpotPortal
from ringfence.sandbox.salesforce.app import salesforce_app
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import LoopbackServer
from ringfence.sandbox.twilio.app import twilio_app
from ringfence.sandbox.twilio.state import TwilioAccount

NO_LIMIT = 10**9


def main() -> None:
    """Fill the accounts, serve them, and answer until standard input ends."""
    given = _parse()
    clock = SandboxClock()
    crms = [_crm(given, clock, number) for number in range(given.accounts)]
    # A million records that live as long as the process are no work for the garbage collector.
    gc.collect()
    gc.freeze()

    watches = [RequestWatch(_app(crm)) for crm in crms]
    servers = [LoopbackServer(_late(watch, given.latency / 1000)) for watch in watches]
    twilio = TwilioAccount(clock=clock) if given.lookups else None
    if twilio is not None:
        servers.append(LoopbackServer(_late(twilio_app(twilio), given.latency / 1000)))
    for server in servers:
        server.start()
    for server in servers:
        server.await_ready()

    accounts = {f"account{n:02}": _settings(crm, servers[n].url) for n, crm in enumerate(crms)}
    for crm, server in zip(crms, servers, strict=False):
        if isinstance(crm, SalesforceOrg):
            crm.instance_url = server.url
    _say({"settings": {**accounts["account00"], **_lookups(twilio, servers[-1].url)}, "accounts": accounts})
    for line in sys.stdin:
        asked = json.loads(line)
        clock.advance(asked.get("advance", 0))
        if "contacts" in asked:
            write_contacts(crms[0], Path(asked["contacts"]))
        _say(_tally(watches, twilio))

    for server in servers:
        server.ask_to_stop()
    for server in servers:
        server.join()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("crm", choices=("salesforce", "hubspot"))
    parser.add_argument("records", type=int, help="contacts of each account")
    parser.add_argument("--latency", type=int, default=0, help="milliseconds added to every answer")
    parser.add_argument("--job-seconds", type=float, help="how long each bulk job takes")
    parser.add_argument("--accounts", type=int, default=1, help="how many accounts there are")
    parser.add_argument("--limits", action="store_true", help="with HubSpot's limits of calls, which else are lifted")
    parser.add_argument("--lookups", action="store_true", help="a lookup provider too")
    return parser.parse_args()


def _crm(given: argparse.Namespace, clock: SandboxClock, number: int) -> SalesforceOrg | HubSpotPortal:
    crowd = _unscreened(given.records, clock, seed=7 + number)
    if given.crm == "salesforce":
        org = SalesforceOrg(people=crowd, clock=clock, seed=7 + number)
        org.job_seconds = org.job_seconds if given.job_seconds is None else given.job_seconds
        return org

    portal = HubSpotPortal(people=crowd, clock=clock, seed=7 + number)
    if not given.limits:
        # The portal's pace would hide everybody's own; searches keep theirs, for ringfence never goes faster.
        portal.calls.limit = portal.daily.limit = NO_LIMIT
    return portal


def _unscreened(records: int, clock: SandboxClock, seed: int) -> Iterable[Person]:
    return (replace(each, screened="never", lead=False) for each in people(records, seed=seed, now=clock.now()))


def _app(crm: SalesforceOrg | HubSpotPortal) -> ASGIApp:
    return salesforce_app(crm) if isinstance(crm, SalesforceOrg) else hubspot_app(crm)


def _tally(watches: Iterable[RequestWatch], twilio: TwilioAccount | None) -> dict[str, Any]:
    billed = twilio.billed if twilio else {}
    found = list(watches)
    return {
        "requests": sum(watch.count for watch in found),
        "cpu_s": time.process_time(),
        "refused": sum(watch.refused for watch in found),
        "busiest_second": max(watch.busiest(1) for watch in found),
        "busiest_ten": max(watch.busiest(10) for watch in found),
        "lookups": sum(billed.values()),
        "bought_twice": sum(times > 1 for times in billed.values()),
    }


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


def _lookups(twilio: TwilioAccount | None, url: str) -> dict[str, str]:
    if twilio is None:
        return {}
    return {
        "RINGFENCE_LOOKUP__PROVIDERS": '["twilio"]',
        "RINGFENCE_TWILIO__ACCOUNT_SID": twilio.sid,
        "RINGFENCE_TWILIO__AUTH_TOKEN": twilio.auth_token,
        "RINGFENCE_TWILIO__BASE_URL": url,
    }


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
