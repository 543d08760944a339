"""The signed assertion of the JWT bearer flow, and whom it is made out to.

Salesforce's log-in takes the address of its log-in page as audience and refuses the org's own, also where the
assertion is sent to the org (salesforce.md, section 1.1).
"""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import urlsplit

import jwt

from ringfence.core.config.addresses import is_loopback
from ringfence.core.errors import SettingsError

from .settings import VARIABLE, SalesforceSettings

LOGIN, TEST = "https://login.salesforce.com", "https://test.salesforce.com"
"""The audience of production and Developer Edition orgs, and that of sandboxes and scratch orgs."""

ASSERTION_LIFE_S = 180
"""Seconds a JWT assertion is good for; Salesforce takes at most a few minutes."""

_SALESFORCE = (".salesforce.com", ".salesforce.mil", ".force.com")
_SANDBOX = re.compile(
    r"\.(sandbox|scratch)\.my\.salesforce\."  # enhanced domains
    r"|--[^.]+(\.cs\d+)?\.my\.salesforce\."  # older ones: the name of the sandbox behind two hyphens
    r"|(^|\.)cs\d+(\.my)?\.salesforce\."  # an instance of sandboxes
    r"|(^|\.)[a-z]{3}\d+s\.sfdc-",  # likewise, on Hyperforce
)


def find_audiences(settings: SalesforceSettings) -> list[str]:
    """Return the audiences to try, the likeliest first: the one that is set, else what the log-in address tells.

    A My Domain does not always show whether it is a sandbox's, so the other one follows. A host that is neither
    Salesforce's nor this machine gets an assertion for itself alone, which it could use nowhere else.
    """
    login_url = str(settings.login_url)
    host = urlsplit(login_url).hostname or ""

    if settings.audience:
        return [settings.audience]
    if login_url in (LOGIN, TEST):
        return [login_url]
    if host.endswith(_SALESFORCE):
        return [TEST, LOGIN] if _SANDBOX.search(host) else [LOGIN, TEST]
    return [login_url, LOGIN, TEST] if is_loopback(host) else [login_url]


def sign_assertion(settings: SalesforceSettings, audience: str, now: datetime) -> str:
    """Return an assertion for the user, signed with the private key.

    ``now`` is aware. Raises SettingsError where the file of the key cannot be read or holds none.
    """
    claims = {
        "iss": settings.client_id,
        "sub": settings.username,
        "aud": audience,
        "exp": int(now.timestamp()) + ASSERTION_LIFE_S,
    }
    file = settings.private_key_file
    variable = f"{VARIABLE}PRIVATE_KEY_FILE"

    try:
        return jwt.encode(claims, file.read_bytes() if file else b"", algorithm="RS256")
    except OSError as error:
        raise SettingsError(
            f"{variable} names {file}, which cannot be read: {error.strerror}.", "Check the path and its rights."
        ) from error
    except (ValueError, TypeError, jwt.PyJWTError):
        # The library's own words could quote the file.
        raise SettingsError(
            f"{variable} names {file}, which is no RSA private key.", "It is a PEM file without a password."
        ) from None
