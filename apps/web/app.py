"""The application: its routes, and what every request goes through."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from . import health
from .problems import ProblemError, answer_problem
from .service import Service

ROUTERS: list[APIRouter] = [health.router]
"""The routes, a router for each kind of caller."""


def make_app(service: Service) -> FastAPI:
    """Return the application for an open state store."""
    app = FastAPI(title="ringfence", docs_url=None, redoc_url=None)
    app.state.service = service
    app.add_exception_handler(ProblemError, answer_problem)
    for router in ROUTERS:
        app.include_router(router)
    return app
