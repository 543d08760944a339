"""Access tokens: given in the settings, or obtained by OAuth.

The client library's own log-in is not used: it drops headers on refresh, takes no full log-in URL for JWT and knows no
lock (docs/vendors/salesforce.md, sections 1.1, 1.3 and 1.8).
"""

from __future__ import annotations

import threading
from typing import Protocol

import jwt

from ringfence.core.errors import AuthenticationError, QuotaError, RetryError, SettingsError
from ringfence.core.ports.services import Services

from .errors import SessionError, read_error, read_fault
from .settings import VARIABLE, LogIn, SalesforceSettings, check_url
from .transport import Transport

Token = tuple[str, str]
"""Access token and instance URL."""

ASSERTION_LIFE_S = 180
"""Seconds a JWT assertion is good for; Salesforce takes at most a few minutes."""

_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LOCK = threading.Lock()
"""One log-in at a time in this process, so that connectors that share a token store log in once."""


class TokenSource(Protocol):
    """Provides the token for the next request."""

    def current(self) -> Token:
        """Return the token, logging in where there is none."""
        ...

    def renew(self, refused: SessionError, token: Token) -> Token:
        """Return another token than the one that was refused. Raises AuthenticationError where there is none."""
        ...


def choose_source(settings: SalesforceSettings, transport: Transport, services: Services) -> TokenSource:
    """Return the source that the settings describe. Raises SettingsError where they are incomplete."""
    if settings.log_in is None:
        raise SettingsError(
            "No way to log in to Salesforce is set.",
            f"Set {VARIABLE}INSTANCE_URL and {VARIABLE}ACCESS_TOKEN, or the OAuth settings.",
        )

    if settings.log_in is LogIn.DIRECT:
        return DirectToken(settings, transport)

    return OAuthToken(settings, transport, services)


class DirectToken:
    """The token in the settings; there is no other when it is refused."""

    def __init__(self, settings: SalesforceSettings, transport: Transport) -> None:
        if settings.access_token is None or settings.instance_url is None:
            raise SettingsError(
                "The direct token is incomplete.", f"Set {VARIABLE}INSTANCE_URL and {VARIABLE}ACCESS_TOKEN."
            )
        self._token = (settings.access_token.get_secret_value().strip(), settings.instance_url)
        transport.allow_clear(settings.instance_url)

    def current(self) -> Token:
        """Return the token."""
        return self._token

    def renew(self, refused: SessionError, token: Token) -> Token:  # noqa: ARG002  # the port's signature
        """Raise AuthenticationError: a direct token cannot be renewed."""
        raise AuthenticationError(
            refused.message, f"The token is wrong or has expired: set a new {VARIABLE}ACCESS_TOKEN, or use OAuth."
        ) from refused


class OAuthToken:
    """Tokens by client credentials or JWT bearer, shared through the token store."""

    def __init__(self, settings: SalesforceSettings, transport: Transport, services: Services) -> None:
        self._settings = settings
        self._transport = transport
        self._services = services
        self._key = f"salesforce:{settings.login_url}:{settings.client_id}:{settings.username or ''}"
        transport.allow_clear(str(settings.login_url))

    def current(self) -> Token:
        """Return the kept token, or log in."""
        token = self._services.tokens.get(self._key)
        if token is None:
            with _LOCK:
                token = self._services.tokens.get(self._key) or self._log_in()
        self._transport.allow_clear(token[1])
        return token

    def renew(self, refused: SessionError, token: Token) -> Token:  # noqa: ARG002  # the port's signature
        """Drop the refused token, unless another thread has renewed it already, and return the present one."""
        with _LOCK:
            if self._services.tokens.get(self._key) == token:
                self._services.tokens.drop(self._key)
        return self.current()

    def _log_in(self) -> Token:
        token = self._transport.call_with_retries("login", "the log-in", self._request_token)
        self._services.tokens.put(self._key, token)
        return token

    def _request_token(self) -> Token:
        basic, form = self._grant()
        answer = self._transport.session.post(
            f"{self._settings.login_url}/services/oauth2/token", data=form, auth=basic, allow_redirects=False
        )
        try:
            body = answer.json()
        except ValueError:
            body = None

        if answer.status_code == 200 and isinstance(body, dict) and "access_token" in body:
            instance = check_url(str(body.get("instance_url")), "The instance URL that the log-in gave")
            return str(body["access_token"]), instance

        raise self._refusal(answer.status_code, body)

    def _grant(self) -> tuple[tuple[str, str] | None, dict[str, str]]:
        settings = self._settings
        if settings.log_in is LogIn.CLIENT_CREDENTIALS and settings.client_secret is not None:
            basic = (str(settings.client_id), settings.client_secret.get_secret_value())
            return basic, {"grant_type": "client_credentials"}
        return None, {"grant_type": _JWT_BEARER, "assertion": self._assertion()}

    def _assertion(self) -> str:
        settings = self._settings
        claims = {
            "iss": settings.client_id,
            "sub": settings.username,
            "aud": settings.login_url,
            "exp": int(self._services.clock.now().timestamp()) + ASSERTION_LIFE_S,
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

    def _refusal(self, status: int, body: object) -> Exception:
        fault = read_fault(body)
        error = read_error("the log-in", status, body)
        if isinstance(error, (RetryError, QuotaError)):
            return error

        if not fault.code:
            return AuthenticationError(
                f"{self._settings.login_url} does not answer as Salesforce's log-in does (HTTP {status}).",
                f"Check {VARIABLE}LOGIN_URL.",
            )

        return AuthenticationError(f"Salesforce refused the log-in: {fault}.", _remedy(fault.code, fault.words))


def _remedy(code: str, words: str) -> str:
    if code in ("invalid_client_id", "invalid_client"):
        return f"Check {VARIABLE}CLIENT_ID and {VARIABLE}CLIENT_SECRET."
    if "approved" in words:
        return "Pre-authorise the user for the app (permitted users: admin approved) in Salesforce's set-up."
    if "audience" in words:
        return f"Check {VARIABLE}LOGIN_URL: the org's My Domain, https://login.salesforce.com or https://test.salesforce.com."
    return f"Check {VARIABLE}LOGIN_URL, the user and the app's OAuth flows in Salesforce's set-up."
