"""The account endpoints (portal details, daily API usage), and the 404 for every other path."""

from datetime import timedelta

from . import instants
from .call import Answer, Call
from .errors import not_found, not_found_page
from .state import PortalState


def details(portal: PortalState, _call: Call) -> Answer:
    """Answer `GET /account-info/v3/details`: portal id, account type, time zone."""
    return Answer(
        200,
        {
            "portalId": portal.portal_id,
            "accountType": portal.account_type,
            "timeZone": "Etc/UTC",
            "companyCurrency": "USD",
            "additionalCurrencies": [],
            "utcOffset": "+00:00",
            "utcOffsetMilliseconds": 0,
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        },
    )


def daily_usage(portal: PortalState, _call: Call) -> Answer:
    """Answer `GET /account-info/v3/api-usage/daily/private-apps`: quota and use of the day, until midnight UTC."""
    now = portal.clock.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    usage = {
        "name": "private-apps-api-calls-daily",
        "usageLimit": portal.daily.limit,
        "currentUsage": portal.daily.used,
        "collectedAt": instants.instant(portal.now()),
        "fetchStatus": "SUCCESS",
        "resetsAt": instants.instant(instants.to_milliseconds(midnight)),
    }
    return Answer(200, {"results": [usage]})


def token_info(portal: PortalState, call: Call) -> Answer:
    """Answer `POST /oauth/v2/private-apps/get/access-token-info`: whose the token in the body is, and its scopes.

    Only tokens of private apps are told of.
    """
    body = call.json()
    if not portal.traits.tells_scopes or body.get("tokenKey") != portal.access_token:
        raise not_found("The token is not of a private app", "AccessTokens.NOT_FOUND")
    return Answer(200, {"userId": 1, "hubId": portal.portal_id, "appId": 1, "scopes": sorted(portal.scopes)})


def nothing_here(_portal: PortalState, _call: Call) -> Answer:
    """Refuse any other path or method with HubSpot's 404 web page."""
    raise not_found_page()
