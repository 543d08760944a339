"""The description of the service's API, as OpenAPI 3.1 and, for what flows call, as 3.0."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from ringfence.core.model.roles import Role

from .openapi_3_0 import as_openapi_3_0
from .problems import MEDIA_TYPE

TITLE = "ringfence"
ABOUT = "Screens phone numbers and says who must not be contacted."

_TOKEN = "token"  # noqa: S105 - what the scheme is called
_PROBLEMS = {
    401: "A token or a signature is missing, or counts no more",
    403: "The token's role may not do this",
    408: "The body did not arrive in time",
    413: "The body is too large",
    422: "The body is not as described; the answer says where",
    429: "Called too often, or the service has as much to do as it takes on; Retry-After says when to call again",
    503: "The state store is away, or something else that passes; Retry-After says when to call again",
}
_PROBLEM = {
    "title": "Problem",
    "description": "A problem document (RFC 9457)",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened, and what to do now"},
        "code": {"type": "string", "description": "The name of the situation, for programs"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/ProblemPlace"}},
    },
}
_PROBLEM_PLACE = {
    "title": "ProblemPlace",
    "type": "object",
    "required": ["where", "message"],
    "properties": {"where": {"type": "string"}, "message": {"type": "string"}},
}


class OpenApiVersion(StrEnum):
    """A version of OpenAPI in which the service can be described."""

    V3_0 = "3.0"
    V3_1 = "3.1"


def describe_api(
    app: FastAPI, routers: Sequence[APIRouter], openapi_version: OpenApiVersion, url: str
) -> dict[str, Any]:
    """Return the description of an application with these routers that others call at ``url``.

    That in 3.0 is for Salesforce's External Services: it has the paths that flows call, and nothing that they refuse.
    """
    document = app.openapi()
    document["info"] = {"title": TITLE, "version": version("ringfence"), "description": ABOUT}
    document["servers"] = [{"url": url}]
    roles = dict(_roles(routers))
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(operation, roles.get((path, method)), has_body=method == "post")

    components = document.setdefault("components", {})
    components["securitySchemes"] = {_TOKEN: {"type": "http", "scheme": "bearer"}}
    schemas = components.setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas |= {"Problem": _PROBLEM, "ProblemPlace": _PROBLEM_PLACE}
    return as_openapi_3_0(document) if openapi_version is OpenApiVersion.V3_0 else document


def _roles(routers: Sequence[APIRouter]) -> Iterator[tuple[tuple[str, str], Role]]:
    """Yield the role that each operation needs, by path and method, where it needs one."""
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute) and (role := _role_of(route.dependant)) is not None:
                for method in route.methods or ():
                    yield (route.path_format, method.lower()), role


def _role_of(dependant: Dependant) -> Role | None:
    role = getattr(dependant.call, "role", None)
    if isinstance(role, Role):
        return role
    return next(filter(None, map(_role_of, dependant.dependencies)), None)


def _complete(operation: dict[str, Any], role: Role | None, *, has_body: bool) -> None:
    """Say who may call an operation, and how it refuses."""
    responses = operation.setdefault("responses", {})
    responses.pop("422", None)
    wanted = [503]
    if role is not None:
        operation["security"] = [{_TOKEN: []}]
        about = operation.get("description", "")
        operation["description"] = f"{about}\n\nNeeds a token of the role {role}.".strip()
        wanted += [401, 403, 429]
    if has_body:
        wanted += [401, 408, 413, 422, 429]
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status in sorted(set(wanted)):
        responses.setdefault(str(status), {"description": _PROBLEMS[status], "content": content})
