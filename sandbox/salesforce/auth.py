"""`/services/oauth2/token` and `/userinfo`, `/id`: client credentials and JWT bearer (salesforce.md, section 1.1).

The words about scopes and audience are those that users of client libraries report.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import jwt

from .state import OrgState
from .wire import Answer, Call

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
IDENTITY = "/id/{org_id}/{user_id}"
MAX_ASSERTION_LIFE_S = 300
_CLAIMS_ARE_OURS = {"verify_exp": False, "verify_aud": False, "verify_sub": False, "verify_iss": False}


class OAuthError(Exception):
    """An OAuth refusal: error and error_description."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.answer = Answer(400, {"error": error, "error_description": description})


def token(org: OrgState, call: Call) -> Answer:
    """Answer POST of a token request; a refusal is `{"error", "error_description"}` with status 400."""
    form = dict(parse_qsl(call.raw.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        _check_grant(org, call, form)
    except OAuthError as error:
        return error.answer
    return Answer(200, _token_body(org))


def _check_grant(org: OrgState, call: Call, form: Mapping[str, str]) -> None:
    match form.get("grant_type"):
        case "client_credentials":
            _check_client(org, call, form)
        case grant if grant == JWT_BEARER:
            _check_assertion(org, call, form.get("assertion", ""))
        case _:
            raise OAuthError("unsupported_grant_type", "grant type not supported")


def userinfo(org: OrgState, call: Call) -> Answer:
    """Answer GET of the user behind a token; a bad one gets 403 and the bare text `Bad_OAuth_Token`."""
    if org.traits.userinfo == "missing":
        return Answer(404, "<h1>Not Found</h1>")
    if not org.sessions.knows(bearer(call)) or org.traits.userinfo == "forbidden":
        return Answer(403, "Bad_OAuth_Token")

    user = org.table("User").rows[org.user_id]
    body = {
        "sub": org.identity,
        "user_id": org.user_id,
        "organization_id": org.org_id,
        "preferred_username": user["Username"],
        "nickname": str(user["Username"]).split("@")[0],
        "name": user["Name"],
        "email": user["Email"],
        "email_verified": True,
        "given_name": user["FirstName"],
        "family_name": user["LastName"],
        "zoneinfo": user["TimeZoneSidKey"],
        "active": user["IsActive"],
        "user_type": "STANDARD",
    }
    return Answer(200, body)


def identity(org: OrgState, call: Call) -> Answer:
    """Answer GET of the user's own address, `/id/{org}/{user}`; a bad token gets 403, other ids 404."""
    if not org.sessions.knows(bearer(call)):
        return Answer(403, "Bad_OAuth_Token" if bearer(call) else "Missing_OAuth_Token")
    if not org.identity.endswith(call.path):
        return Answer(404, "Bad_Id")

    user = org.table("User").rows[org.user_id]
    body = {
        "id": org.identity,
        "asserted_user": True,
        "user_id": org.user_id,
        "organization_id": org.org_id,
        "username": user["Username"],
        "nick_name": str(user["Username"]).split("@")[0],
        "display_name": user["Name"],
        "email": user["Email"],
        "first_name": user["FirstName"],
        "last_name": user["LastName"],
        "active": user["IsActive"],
        "user_type": "STANDARD",
        "timezone": user["TimeZoneSidKey"],
    }
    return Answer(200, body)


def bearer(call: Call) -> str:
    """Return the token of the Authorization header, or an empty text."""
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() in ("bearer", "oauth") else ""


def _token_body(org: OrgState) -> dict[str, object]:
    return {
        "access_token": org.sessions.issue(),
        "signature": "c2FuZGJveCBzaWduYXR1cmU=",
        "scope": " ".join(scope for scope in org.traits.app_scopes if scope != "refresh_token"),
        "instance_url": org.instance_url,
        "id": org.identity,
        "token_type": "Bearer",
        "issued_at": str(int(org.clock.now().timestamp() * 1000)),
    }


def _check_client(org: OrgState, call: Call, form: Mapping[str, str]) -> None:
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client_id, _, secret = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise OAuthError("invalid_client", "invalid client credentials") from None

    if client_id != org.sessions.client_id:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    if secret != org.sessions.client_secret:
        raise OAuthError("invalid_client", "invalid client credentials")


def _check_assertion(org: OrgState, call: Call, assertion: str) -> None:
    claims = _verified(org, assertion)
    if claims.get("iss") != org.sessions.client_id:
        raise OAuthError("invalid_client_id", "client identifier invalid")

    if str(claims.get("aud", "")).rstrip("/") not in _audiences(org, call):
        raise OAuthError("invalid_grant", "audience is invalid")
    if "refresh_token" not in org.traits.app_scopes:
        text = "refresh_token scope is required and the connected app should be installed and preauthorized"
        raise OAuthError("invalid_request", text)

    try:
        left = int(claims.get("exp", "")) - org.clock.now().timestamp()
    except (TypeError, ValueError):
        raise OAuthError("invalid_grant", "invalid assertion") from None

    if not 0 < left <= MAX_ASSERTION_LIFE_S:
        raise OAuthError("invalid_grant", "expired authorization code" if left <= 0 else "invalid expiration")
    if claims.get("sub") != org.username:
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")


def _audiences(org: OrgState, call: Call) -> set[str]:
    """Return the audiences that an assertion may name: the log-in page of such orgs, and the org where it may."""
    pool = f"https://{'login' if org.traits.production else 'test'}.salesforce.com"
    if not org.traits.own_audience:
        return {pool}

    host = call.headers.get("host", "")
    return {pool, org.instance_url.rstrip("/"), f"http://{host}", f"https://{host}"}


def _verified(org: OrgState, assertion: str) -> dict[str, Any]:
    for key in org.sessions.public_keys:
        try:
            return jwt.decode(assertion, key, algorithms=["RS256"], options=_CLAIMS_ARE_OURS)  # type: ignore[arg-type]  # a plain dict of the documented options
        except jwt.InvalidTokenError:
            continue
    raise OAuthError("invalid_grant", "invalid assertion")
