"""The application: its routes, and what every request goes through."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from . import (
    figures,
    form,
    health,
    hubspot_actions,
    hubspot_webhooks,
    numbers,
    salesforce_messages,
    signals,
    suppressions,
)
from .bounds import Bounds
from .callers import Callers
from .description import OpenApiVersion, describe_api
from .errors import answer_errors
from .gate import Gate
from .origins import Origins, origin_of, own_origins
from .service import Service
from .waiting import Waiting

ROUTERS: list[APIRouter] = [
    health.router,
    figures.router,
    numbers.router,
    suppressions.router,
    signals.router,
    form.router,
    hubspot_actions.router,
    hubspot_webhooks.router,
    salesforce_messages.router,
]
"""The routes, a router for each kind of caller."""


def make_app(service: Service) -> ASGIApp:
    """Return the application for an open state store, behind the gate that every request goes through."""
    app = make_routes()
    settings = service.wiring.settings.serve
    app.state.service = service
    app.state.callers = Callers(service.store, service.clock, settings.rate)
    app.state.waiting = Waiting(service.store, service.clock)
    app.state.origins = frozenset({*map(origin_of, settings.origins), *own_origins(service.public_url)})
    return Gate(Origins(Bounds(app, settings.max_body), app.state.origins))


def make_routes() -> FastAPI:
    """Return the routes alone, which know of no state store yet: enough to describe them."""
    app = FastAPI(
        openapi_url=None,
        redirect_slashes=False,  # to an address made of what the caller says of the host, and without TLS
        generate_unique_id_function=lambda route: route.name,
    )
    answer_errors(app)
    for router in ROUTERS:
        app.include_router(router)
    return app


def describe(openapi_version: OpenApiVersion, url: str) -> dict[str, Any]:
    """Return the description of the service's API, which others call at ``url``."""
    return describe_api(make_routes(), ROUTERS, openapi_version, url)
