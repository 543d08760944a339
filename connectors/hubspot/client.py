"""Every HubSpot endpoint we use, and nowhere else: a move to other paths is a change of this file.

The library speaks the v3 paths, which HubSpot supports until September 2027.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from hubspot.crm.objects import BasicApi, SearchApi
from hubspot.crm.objects import BatchApi as ObjectBatchApi
from hubspot.crm.properties import BatchApi as PropertyBatchApi
from hubspot.crm.properties import CoreApi, GroupsApi

from ringfence.core.errors import UnreachableError
from ringfence.core.ports.services import Services

from .auth import close_api, open_api
from .errors import AnswerError, object_scope, schema_scope
from .settings import HubSpotSettings
from .transport import Answer, Request, Transport

BATCH = 100
"""Rows of one batch call, and of one page of a list."""

HISTORY_BATCH = 50
"""Rows of one batch read with the history of properties."""

SEARCH_PAGE = 200
"""Rows of one page of a search."""


class HubSpotClient:
    """One method per endpoint; bodies come back as JSON objects. Every method raises what Transport.call raises."""

    def __init__(self, settings: HubSpotSettings, services: Services) -> None:
        self._transport = Transport(settings.host, settings.account, services)
        self._api = open_api(settings)
        self._basic = BasicApi(self._api)
        self._batch = ObjectBatchApi(self._api)
        self._searches = SearchApi(self._api)
        self._properties = CoreApi(self._api)
        self._property_batch = PropertyBatchApi(self._api)
        self._groups = GroupsApi(self._api)

    @property
    def calls(self) -> Mapping[str, int]:
        """Return the requests made so far by purpose, retries included."""
        return dict(self._transport.calls)

    @property
    def day(self) -> tuple[int, int] | None:
        """Return how many calls are left today, and how many there are a day; None where no answer has told yet."""
        return self._transport.day

    def scopes(self) -> frozenset[str]:
        """Return the scopes that the token has, which HubSpot tells of tokens of private apps."""
        request = Request("describe", "the scopes of the token", "scopes")
        token = {"tokenKey": self._api.configuration.access_token}
        answer = self._transport.call(request, self._post, "/oauth/v2/private-apps/get/access-token-info", token)
        return frozenset(map(str, answer.body["scopes"]))

    def account(self) -> tuple[Mapping[str, Any], datetime]:
        """Return the account's details and the server's present time (aware UTC, whole seconds)."""
        request = Request("login", "the account details", "portalId")
        answer = self._transport.call(request, self._get, "/account-info/v3/details")
        return answer.body, _server_time(answer)

    def search(self, object_name: str, body: Mapping[str, Any], purpose: str) -> Mapping[str, Any]:
        """Return one page of search results."""
        request = Request(purpose, f"the search of {object_name}", search=True, scope=object_scope(object_name, "read"))
        return self._transport.call(request, self._searches.do_search, object_name, body).body

    def list_page(
        self, object_name: str, properties: Sequence[str], after: str | None, *, archived: bool = False
    ) -> Mapping[str, Any]:
        """Return one page of all records, or of all archived ones, in the order of their ids."""
        where: dict[str, Any] = {"limit": BATCH, "properties": list(properties)}
        if after:
            where["after"] = after
        if archived:
            where["archived"] = True

        def send(**options: Any) -> Any:
            return self._basic.get_page(object_name, **where, **options)

        purpose, scope = "opt_outs" if archived else "read", object_scope(object_name, "read")
        request = Request(purpose, f"the list of {object_name}", scope=scope)
        return self._transport.call(request, send).body

    def read_batch(self, object_name: str, ids: Sequence[str], properties: Sequence[str]) -> Mapping[str, Any]:
        """Return up to 100 records by id; those that are gone are named in ``errors`` or missing."""
        return self._read(object_name, ids, properties, (), "read")

    def read_histories(
        self, object_name: str, ids: Sequence[str], properties: Sequence[str], versioned: Sequence[str]
    ) -> Mapping[str, Any]:
        """Return up to 50 records by id with the values that the ``versioned`` properties have had."""
        return self._read(object_name, ids, properties, versioned, "opt_outs")

    def _read(
        self,
        object_name: str,
        ids: Sequence[str],
        properties: Sequence[str],
        versioned: Sequence[str],
        purpose: str,
    ) -> Mapping[str, Any]:
        body = {
            "inputs": [{"id": one} for one in ids],
            "properties": list(properties),
            "propertiesWithHistory": list(versioned),
        }
        request = Request(purpose, f"the batch read of {object_name}", scope=object_scope(object_name, "read"))
        return self._transport.call(request, self._batch.read, object_name, body).body

    def update_batch(self, object_name: str, inputs: Sequence[Mapping[str, Any]], purpose: str) -> Mapping[str, Any]:
        """Update up to 100 records by id and return results and errors. Repeating it changes nothing more."""
        request = Request(purpose, f"the batch update of {object_name}", scope=object_scope(object_name, "write"))
        return self._transport.call(request, self._batch.update, object_name, {"inputs": list(inputs)}).body

    def properties(self, object_name: str) -> list[Mapping[str, Any]]:
        """Return the definitions of all properties of an object."""
        request = Request("describe", f"the properties of {object_name}", scope=object_scope(object_name, "read"))
        return list(self._transport.call(request, self._properties.get_all, object_name).body["results"])

    def has_group(self, object_name: str, group: str) -> bool:
        """Return whether the object has the property group."""
        request = Request("setup", f"the property group {group}", "name")
        try:
            self._transport.call(request, self._groups.get_by_name, object_name, group)
        except AnswerError as error:
            if error.status != 404:
                raise
            return False

        return True

    def create_group(self, object_name: str, body: Mapping[str, Any]) -> None:
        """Create a property group."""
        request = Request(
            "setup", f"the creation of the group {body['name']}", "name", scope=schema_scope(object_name, "write")
        )
        self._transport.call(request, self._groups.create, object_name, body)

    def create_property(self, object_name: str, body: Mapping[str, Any]) -> None:
        """Create one property."""
        request = Request("setup", f"the creation of {body['name']}", "name", scope=schema_scope(object_name, "write"))
        self._transport.call(request, self._properties.create, object_name, body)

    def create_properties(self, object_name: str, bodies: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """Create up to 100 properties and return results and errors."""
        scope = schema_scope(object_name, "write")
        request = Request("setup", f"the creation of properties of {object_name}", scope=scope)
        return self._transport.call(request, self._property_batch.create, object_name, {"inputs": list(bodies)}).body

    def delete_property(self, object_name: str, name: str) -> None:
        """Archive a property, with what its records hold in it."""
        request = Request("setup", f"the archiving of {name}", "", scope=schema_scope(object_name, "write"))
        self._transport.call(request, self._properties.archive, object_name, name)

    def delete_group(self, object_name: str, name: str) -> None:
        """Archive a property group."""
        request = Request("setup", f"the archiving of the group {name}", "", scope=schema_scope(object_name, "write"))
        self._transport.call(request, self._groups.archive, object_name, name)

    def property_limits(self) -> Mapping[str, Any]:
        """Return how many custom properties the portal may have and has: ``overallLimit``, ``byObjectType``, ..."""
        request = Request("setup", "the limits of custom properties", "")
        return self._transport.call(request, self._get, "/crm/v3/limits/custom-properties").body

    def complete_callbacks(self, inputs: Sequence[Mapping[str, Any]]) -> None:
        """Complete up to 100 executions of workflow actions by their callback ids."""
        request = Request("callbacks", "the completion of workflow executions", "", scope="automation")
        body = {"inputs": list(inputs)}
        self._transport.call(request, self._post, "/automation/v4/actions/callbacks/complete", body)

    def close(self) -> None:
        """Close the connections."""
        close_api(self._api)

    def _post(self, path: str, body: Any, **options: Any) -> Any:
        return self._api.call_api(
            path,
            "POST",
            header_params={"Accept": "application/json", "Content-Type": "application/json"},
            body=body,
            auth_settings=["oauth2"],
            **options,
        )

    def _get(self, path: str, **options: Any) -> Any:
        # For endpoints without a module in the library, through the same kept client and pool.
        return self._api.call_api(
            path, "GET", header_params={"Accept": "application/json"}, auth_settings=["oauth2"], **options
        )


def _server_time(answer: Answer) -> datetime:
    try:
        return parsedate_to_datetime(answer.headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError) as error:
        raise UnreachableError(
            "The answer carries no readable Date, so the window of changes has no end.",
            "Check what stands between this machine and HubSpot: it must pass the Date header on.",
        ) from error
