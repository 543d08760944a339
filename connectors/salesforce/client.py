"""One method for each endpoint, over the client library as transport."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from requests import ReadTimeout, Response
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceError

from ringfence.core.errors import RetryError
from ringfence.core.ports.services import Services

from .auth import Token, choose_source
from .composite import NO_ASSIGNMENT, Subrequest, SubrequestAnswer
from .errors import LocatorError, QueryTimeoutError, SessionError, read_error
from .quota import Quota
from .settings import SalesforceSettings
from .slow_queries import as_timed_out, read_body
from .transport import Transport

PAGE = 2_000
"""Records of one query page or one retrieve, at most (docs/vendors/salesforce.md, sections 2.1 and 2.4)."""

Row = Mapping[str, Any]
Result = TypeVar("Result")


class SalesforceClient:
    """The endpoints that ringfence uses. Every method raises the errors of ``read_error``, of the transport and of the
    token source. Safe with threads. Constructing it makes no call; raises SettingsError where no log-in is set.
    """

    def __init__(self, settings: SalesforceSettings, services: Services) -> None:
        self._version = settings.api_version
        self._transport = Transport(services, Quota(settings.daily_reserve))
        self._source = choose_source(settings, self._transport, services)
        self._library: tuple[Token, Salesforce] | None = None
        self.slow: set[str] = set()
        """Objects whose queries timed out in this run, but for those that an index makes quick."""

    @property
    def calls(self) -> Mapping[str, int]:
        """Return HTTP requests made so far by purpose, retries included."""
        return self._transport.calls

    @property
    def quota(self) -> Quota:
        """Return the daily API calls of the last answer, and the reserve."""
        return self._transport.quota

    @property
    def instance_url(self) -> str:
        """Return where the org is; logs in where there is no token yet."""
        return self._source.current()[1]

    def server_now(self) -> datetime | None:
        """Return the time at Salesforce in UTC; None before the first answer."""
        return self._transport.server_now()

    def close(self) -> None:
        """Close the connections."""
        self._transport.session.close()

    def userinfo(self, purpose: str) -> Row:
        """Return the details of the user behind the token: ``user_id``, ``preferred_username``, ``name``."""
        return self._row(purpose, "the user's details", lambda sf: sf.oauth2("userinfo"), "user_id")

    def user_address(self, purpose: str) -> str:
        """Return the address of that user, from the log-in or the list of the API's resources; empty where untold."""
        if self._source.identity:
            return self._source.identity
        answer = self._row(purpose, "the API's resources", lambda sf: sf.restful(""))
        return str(answer.get("identity") or "")

    def describe(self, object_name: str) -> Row:
        """Return the describe of an object as this user sees it."""
        path = f"sobjects/{object_name}/describe"
        return self._row("describe", f"the describe of {object_name}", lambda sf: sf.restful(path))

    def object_names(self) -> list[str]:
        """Return the names of all objects that this user sees."""
        answer = self._row("describe", "the list of objects", lambda sf: sf.restful("sobjects"))
        return [str(row["name"]) for row in answer["sobjects"]]

    def get(self, path: str, what: str, key: str, **params: str) -> Row:
        """Return the answer of a resource that is only described to a person; every good answer has the key."""
        return self._row("describe", what, lambda sf: sf.restful(path, params=params), key)

    def query(self, soql: str, purpose: str) -> Row:
        """Return the first page of a query: ``totalSize``, ``done``, ``records``, ``nextRecordsUrl``."""
        return self._row(purpose, "a query", lambda sf: sf.query(soql), "records")

    def more(self, url: str, purpose: str) -> Row:
        """Return the page at a ``nextRecordsUrl``. Raises LocatorError when it has expired, or takes too long."""

        def send(sf: Salesforce) -> Any:
            try:
                return sf.query_more(url, identifier_is_url=True)
            except SalesforceError as error:
                refusal = read_error("the next page", error.status, error.content)
                if isinstance(refusal, QueryTimeoutError):
                    raise LocatorError(refusal.message) from None
                raise

        return self._row(purpose, "the next page", send, "records")

    def retrieve(self, object_name: str, ids: Sequence[str], fields: Sequence[str], purpose: str) -> list[Row | None]:
        """Return the records of up to 2,000 ids in their order, None for one that is missing or deleted."""
        path, body = f"composite/sobjects/{object_name}", {"ids": list(ids), "fields": list(fields)}
        rows = self._call(purpose, f"reading {object_name} by id", lambda sf: _list(sf.restful, path, body))
        return [row or None for row in rows]

    def composite(self, subrequests: Sequence[Subrequest], purpose: str) -> list[SubrequestAnswer]:
        """Carry out up to 25 subrequests in one call and return the answer to each, in their order."""
        return self._composite(subrequests, purpose)

    def _composite(
        self, subrequests: Sequence[Subrequest], purpose: str, rescue: Callable[[Exception], Any] | None = None
    ) -> list[SubrequestAnswer]:
        body = {
            "allOrNone": False,
            "compositeRequest": [self._address(number, each) for number, each in enumerate(subrequests)],
        }

        def send(sf: Salesforce) -> Any:
            try:
                return sf.restful("composite", method="POST", json=body, headers=NO_ASSIGNMENT)
            except (SalesforceError, ReadTimeout) as error:
                if rescue is not None and (answers := rescue(error)):
                    return {"compositeResponse": answers}
                raise

        answers = self._row(purpose, "a Composite call", send, "compositeResponse")["compositeResponse"]
        by_reference = {answer.get("referenceId"): answer for answer in answers}
        if None in by_reference:
            raise read_error("a Composite call", 400, by_reference[None].get("body"))

        found = [by_reference.get(f"r{n}") for n in range(len(subrequests))]
        return [
            SubrequestAnswer(a.get("httpStatusCode", 0), a.get("body")) if a else SubrequestAnswer(0, None)
            for a in found
        ]

    def read_together(self, subrequests: Sequence[Subrequest], purpose: str, what: str) -> list[Any]:
        """Return the bodies of up to 25 subrequests that only read; a passing fault of one repeats the whole call.

        In place of the body of a query that timed out stands its QueryTimeoutError. Where all of them together took
        longer than a call may, each is sent alone.
        """

        def send() -> list[Any]:
            answers = self._composite(subrequests, purpose, as_timed_out(subrequests))
            return [read_body(what, answer) for answer in answers]

        bodies: list[Any] = self._transport.call_with_retries(purpose, what, send)
        if len(bodies) > 1 and all(isinstance(body, QueryTimeoutError) for body in bodies):
            return [self.read_together([each], purpose, what)[0] for each in subrequests]
        return bodies

    def request(
        self,
        purpose: str,
        what: str,
        method: str,
        path: str,
        read: Callable[[Response], Result],
        *,
        headers: Mapping[str, str] | None = None,
        **sending: Any,
    ) -> Result:
        """Carry out a request whose bodies need not be JSON, and return what ``read`` makes of the answer.

        ``read`` gets every answer, refusals too, as a stream; it runs again when it raises RetryError or when the
        answer is cut off. ``sending`` is passed on to requests; a body has to be readable more than once.
        """

        def send(sf: Salesforce) -> Result:
            signed = {"Authorization": f"Bearer {sf.session_id}", **(headers or {})}
            with self._transport.session.request(
                method, f"{sf.base_url}{path}", headers=signed, stream=True, allow_redirects=False, **sending
            ) as answer:
                return read(answer)

        result: Result = self._call(purpose, what, send)
        return result

    def tooling_query(self, soql: str, purpose: str) -> Row:
        """Return the first page of a query of the Tooling API."""
        return self._row(
            purpose, "a Tooling query", lambda sf: sf.restful("tooling/query", params={"q": soql}), "records"
        )

    def carry_out(self, purpose: str, what: str, send: Callable[[Salesforce], Any]) -> Any:
        """Return what ``send`` makes of the client library, for a call that another module words."""
        return self._call(purpose, what, send)

    def _row(self, purpose: str, what: str, send: Callable[[Salesforce], Any], key: str = "") -> Row:
        def checked(sf: Salesforce) -> Row:
            answer = send(sf)
            if not isinstance(answer, dict) or (key and key not in answer):
                raise RetryError(f"The answer to {what} is not what Salesforce sends.")
            return answer

        row: Row = self._call(purpose, what, checked)
        return row

    def _call(self, purpose: str, what: str, send: Callable[[Salesforce], Any]) -> Any:
        def once() -> Any:
            token = self._source.current()
            try:
                return self._send(token, what, send)
            except SessionError as refused:
                return self._send(self._source.renew(refused, token), what, send)

        return self._transport.call_with_retries(purpose, what, once)

    def _send(self, token: Token, what: str, send: Callable[[Salesforce], Any]) -> Any:
        try:
            return send(self._connect(token))
        except SalesforceError as error:
            # The library's error quotes the whole answer, which may hold phone numbers.
            raise read_error(what, error.status, error.content) from None

    def _connect(self, token: Token) -> Salesforce:
        held = self._library
        if held is not None and held[0] == token:
            return held[1]

        library = Salesforce(
            session_id=token[0],
            instance_url=token[1],
            version=self._version,
            session=self._transport.session,
            object_pairs_hook=None,  # the parser's own dict, at twice the speed of one built from pairs
        )
        library.headers.pop("X-PrettyPrint")
        self._library = (token, library)
        return library

    def _address(self, number: int, subrequest: Subrequest) -> dict[str, Any]:
        url = f"/services/data/v{self._version}/{subrequest.path}"
        request: dict[str, Any] = {"method": subrequest.method, "url": url, "referenceId": f"r{number}"}
        if subrequest.headers:
            request["httpHeaders"] = dict(subrequest.headers)
        if subrequest.body is not None:
            request["body"] = subrequest.body
        return request


def _list(restful: Callable[..., Any], path: str, body: Row) -> list[Any]:
    answer = restful(path, method="POST", json=body)
    if not isinstance(answer, list) or len(answer) != len(body["ids"]):
        raise RetryError(f"The answer to {path} is not what Salesforce sends.")
    return answer
