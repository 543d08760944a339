"""The error answers of HubSpot, in its own words (public recordings of 2022 and 2024, and its error-handling page)."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

SCOPES_URL = "https://developers.hubspot.com/scopes"


class RefusalError(Exception):
    """An answer other than 2xx: `status` and `body`, to which the gate adds the correlationId.

    `body` is text for the one answer that is no JSON, and `counted` tells whether the rate headers are sent with it.
    """

    def __init__(self, status: int, body: dict[str, Any] | str, *, counted: bool = True) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.body = body
        self.counted = counted


def bad_request(message: str, **context: list[str]) -> RefusalError:
    """Return a 400 with the category VALIDATION_ERROR; the keywords become its `context`."""
    body: dict[str, Any] = {"status": "error", "message": message, "category": "VALIDATION_ERROR"}
    if context:
        body["context"] = context
    return RefusalError(400, body)


def property_problem(name: str, error: str, message: str, portal_id: int) -> dict[str, Any]:
    """Return one invalid property, as HubSpot lists it in the message of a refused write."""
    return {
        "isValid": False,
        "message": message,
        "error": error,
        "name": name,
        "localizedErrorMessage": message,
        "portalId": portal_id,
    }


def invalid_properties_message(problems: Iterable[Mapping[str, Any]]) -> str:
    """Return the message of a refused write: a sentence that ends in a JSON list of the invalid properties."""
    return "Property values were not valid: " + json.dumps(list(problems), separators=(",", ":"), ensure_ascii=False)


def unauthenticated() -> RefusalError:
    """Return the 401 for a missing or unknown token."""
    message = (
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details"
        " at https://developers.hubspot.com/docs/methods/auth/oauth-overview"
    )
    body = {"status": "error", "message": message, "category": "INVALID_AUTHENTICATION"}
    return RefusalError(401, body, counted=False)


_ANY_OF = tuple(
    f"crm.objects.{name}.{access}"
    for name, kinds in (
        ("appointments carts companies contacts courses deals leads line_items listings", "read write"),
        ("orders partner-clients quotes services users", "read write"),
        ("commercepayments invoices subscriptions", "read"),
    )
    for name in name.split()
    for access in kinds.split()
)
"""The scopes that the refusal of an object endpoint names whatever the call was about (recorded, of reads)."""

_OLDER = ("e-commerce", "tickets", "crm.objects.goals.read", "media_bridge.read", "crm.objects.custom.read")
"""Scopes of older kinds that the same refusal names."""


def missing_object_scopes() -> RefusalError:
    """Return the 403 of the object endpoints: it names every scope that would do for some object, 31 of them."""
    refusal = missing_scopes(list(_ANY_OF))
    assert isinstance(refusal.body, dict)  # noqa: S101  # as it was made above
    detail = refusal.body["errors"][0]
    detail["context"] = {"requiredScopes": [*_OLDER, "crm.objects.custom.write"], **detail["context"]}
    return refusal


def missing_scopes(scopes: list[str]) -> RefusalError:
    """Return the 403 of a write to definitions, which has no rate headers."""
    message = (
        "This app hasn't been granted all required scopes to make this call."
        f" Read more about required scopes here: {SCOPES_URL}."
    )
    detail = {
        "message": "One or more of the following scopes are required.",
        "context": {"requiredGranularScopes": scopes},
    }
    body = {
        "status": "error",
        "message": message,
        "errors": [detail],
        "links": {"scopes": SCOPES_URL},
        "category": "MISSING_SCOPES",
    }
    return RefusalError(403, body, counted=False)


def unreadable_definitions(type_name: str, portal_id: int) -> RefusalError:
    """Return the 403 of the properties endpoint, which has another shape and no category."""
    legacy = {"contacts": ("CONTACT", "contacts-read"), "companies": ("COMPANY", "companies-read")}[type_name]
    message = (
        f"You do not have permissions to view object type ObjectTypeId{{legacyObjectType={legacy[0]}}}"
        f" in portal {portal_id} (requires one of [{legacy[1]}])"
    )
    return RefusalError(403, {"status": "error", "message": message})


def not_found_page() -> RefusalError:
    """Return the 404 for a record: a web page, not JSON (recorded for a look-up by e-mail address)."""
    page = (
        "<html>\n<head>\n"
        '<meta http-equiv="Content-Type" content="text/html;charset=utf-8"/>\n'
        "<title>Error 404 Not Found</title>\n</head>\n"
        "<body><h2>HTTP ERROR 404</h2>\n<p>Resource not found</p>\n</body>\n</html>\n"
    )
    return RefusalError(404, page)


def not_found(message: str, sub_category: str | None = None) -> RefusalError:
    """Return a 404 with the category OBJECT_NOT_FOUND."""
    body = {"status": "error", "message": message, "category": "OBJECT_NOT_FOUND"}
    if sub_category:
        body["subCategory"] = sub_category
    return RefusalError(404, body)


def conflict(message: str, category: str = "CONFLICT", sub_category: str | None = None) -> RefusalError:
    """Return the 409 for a key that is taken."""
    body = {"status": "error", "message": message, "category": category}
    if sub_category:
        body["subCategory"] = sub_category
    return RefusalError(409, body)


def too_many_searches() -> RefusalError:
    """Return the 429 of the search endpoint: it has no policy name and no Retry-After (69 of 69 recordings)."""
    message = "You have reached your secondly limit."
    return RefusalError(429, {"status": "error", "message": message, "category": "RATE_LIMITS"})


def too_many_requests(policy: str) -> RefusalError:
    """Return the 429 of every other endpoint; `policy` is TEN_SECONDLY_ROLLING or DAILY."""
    body = {
        "status": "error",
        "message": f"You have reached your {policy.lower()} limit.",
        "errorType": "RATE_LIMIT",
        "policyName": policy,
        "groupName": "publicapi:private-apps:calls",
    }
    return RefusalError(429, body)


def missing_objects(kind: str, ids: list[str], trace_id: str | None = None) -> dict[str, Any]:
    """Return the error of a 207 about records that do not exist; `kind` is CONTACT or COMPANY."""
    context = {"ids": ids}
    if trace_id is not None:
        context["objectWriteTraceId"] = [trace_id]
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": f"Could not get some {kind} objects, they may be deleted or not exist. Check that ids are valid.",
        "context": context,
    }
