"""`/services/oauth2/token` and `/userinfo`: client credentials and JWT bearer (salesforce.md, section 1.1)."""

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
MAX_ASSERTION_LIFE_S = 300
_HOSTS = ("https://login.salesforce.com", "https://test.salesforce.com")
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
    if not org.sessions.knows(bearer(call)):
        return Answer(403, "Bad_OAuth_Token")

    user = org.table("User").rows[org.user_id]
    body = {
        "sub": f"{org.instance_url}/id/{org.org_id}/{org.user_id}",
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


def bearer(call: Call) -> str:
    """Return the token of the Authorization header, or an empty text."""
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() in ("bearer", "oauth") else ""


def _token_body(org: OrgState) -> dict[str, object]:
    return {
        "access_token": org.sessions.issue(),
        "signature": "c2FuZGJveCBzaWduYXR1cmU=",
        "scope": "api",
        "instance_url": org.instance_url,
        "id": f"{org.instance_url}/id/{org.org_id}/{org.user_id}",
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

    host = call.headers.get("host", "")
    audiences = {*_HOSTS, org.instance_url.rstrip("/"), f"http://{host}", f"https://{host}"}
    if str(claims.get("aud", "")).rstrip("/") not in audiences:
        raise OAuthError("invalid_grant", "audience is invalid")

    try:
        left = int(claims.get("exp", "")) - org.clock.now().timestamp()
    except (TypeError, ValueError):
        raise OAuthError("invalid_grant", "invalid assertion") from None

    if not 0 < left <= MAX_ASSERTION_LIFE_S:
        raise OAuthError("invalid_grant", "expired authorization code" if left <= 0 else "invalid expiration")
    if claims.get("sub") != org.username:
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")


def _verified(org: OrgState, assertion: str) -> dict[str, Any]:
    for key in org.sessions.public_keys:
        try:
            return jwt.decode(assertion, key, algorithms=["RS256"], options=_CLAIMS_ARE_OURS)  # type: ignore[arg-type]  # a plain dict of the documented options
        except jwt.InvalidTokenError:
            continue
    raise OAuthError("invalid_grant", "invalid assertion")
