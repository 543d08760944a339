"""Access tokens: given in the settings, or obtained by OAuth.

The client library's own log-in is not used: it drops headers on refresh, takes no full log-in URL for JWT and knows no
lock (docs/vendors/salesforce.md, sections 1.1, 1.3 and 1.8).
"""

from __future__ import annotations

import re
import threading
from typing import Protocol

from ringfence.core.errors import AuthenticationError, QuotaError, RetryError, SettingsError
from ringfence.core.ports.services import Services

from .assertion import LOGIN, TEST, find_audiences, sign_assertion
from .errors import SessionError, read_error, read_fault
from .settings import VARIABLE, LogIn, SalesforceSettings, check_url
from .transport import Transport

Token = tuple[str, str]
"""Access token and instance URL."""

_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_AUDIENCE = (
    f"Set {VARIABLE}LOGIN_URL to the org's My Domain, and {VARIABLE}AUDIENCE to {LOGIN}, or to {TEST} for a sandbox."
)
_APPROVAL = (
    "Give the app the OAuth scopes api and refresh_token, and pre-authorise the user for it (permitted users: admin "
    "approved) in Salesforce's set-up."
)
_NAMES_AUDIENCE = re.compile(r"\baud(ience)?\b|\b(login|test)\.salesforce\.com|\blogin or test\b", re.IGNORECASE)
_LOCK = threading.Lock()
"""One log-in at a time in this process, so that connectors that share a token store log in once."""


class AudienceError(AuthenticationError):
    """The log-in does not take the audience of an assertion; another one may help."""


class TokenSource(Protocol):
    """Provides the token for the next request."""

    @property
    def identity(self) -> str | None:
        """Return the address of the user that the log-in gave, which ends in the ids of org and user; else None."""
        ...

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

    @property
    def identity(self) -> None:
        """Return None: nobody logs in."""

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
        self._audiences = find_audiences(settings)
        self._identity: str | None = None
        self._key = f"salesforce:{settings.login_url}:{settings.client_id}:{settings.username or ''}"
        transport.allow_clear(str(settings.login_url))

    @property
    def identity(self) -> str | None:
        """Return the user's address where this source has logged in itself."""
        return self._identity

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
        settings = self._settings
        if settings.log_in is LogIn.CLIENT_CREDENTIALS and settings.client_secret is not None:
            basic = (str(settings.client_id), settings.client_secret.get_secret_value())
            return self._ask({"grant_type": "client_credentials"}, basic)

        return self._assert()

    def _assert(self) -> Token:
        """Return a token for an assertion; where its audience is refused, another one is tried."""
        refused: AudienceError | None = None
        for audience in self._audiences:
            assertion = sign_assertion(self._settings, audience, self._services.clock.now())
            try:
                token = self._ask({"grant_type": _JWT_BEARER, "assertion": assertion})
            except AudienceError as error:
                refused = refused or error
            else:
                self._audiences = [audience]
                return token

        raise refused or AudienceError("There is no audience to make an assertion out to.", _AUDIENCE)

    def _ask(self, form: dict[str, str], basic: tuple[str, str] | None = None) -> Token:
        answer = self._transport.session.post(
            f"{self._settings.login_url}/services/oauth2/token", data=form, auth=basic, allow_redirects=False
        )
        try:
            body = answer.json()
        except ValueError:
            body = None

        if answer.status_code == 200 and isinstance(body, dict) and "access_token" in body:
            self._identity = str(body.get("id") or "") or None
            instance = check_url(str(body.get("instance_url")), "The instance URL that the log-in gave")
            return str(body["access_token"]), instance

        raise self._refusal(answer.status_code, body)

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

        kind = AudienceError if _NAMES_AUDIENCE.search(fault.words) else AuthenticationError
        return kind(
            f"Salesforce refused the log-in: {str(fault).rstrip('.')}.", _remedy(fault.code, fault.words.lower())
        )


def _remedy(code: str, words: str) -> str:
    if code in ("invalid_client_id", "invalid_client"):
        return f"Check {VARIABLE}CLIENT_ID and {VARIABLE}CLIENT_SECRET."
    if _NAMES_AUDIENCE.search(words):
        return _AUDIENCE
    if "approved" in words or "scope" in words or "preauthorized" in words:
        return f"{_APPROVAL} Where all that is done: {_AUDIENCE}"
    return f"Check {VARIABLE}LOGIN_URL, the user and the app's OAuth flows in Salesforce's set-up."
