"""``/metrics``: what the service counts, for Prometheus."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from ringfence.core.model.roles import Role

from .callers import needs
from .listening import is_loopback
from .metrics import MEDIA_TYPE, render_metrics

router = APIRouter()

_SIGNS_OF_PROXIES = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via")
"""Headers that a proxy adds: then loopback says where the proxy is, and nothing about who calls."""

_as_viewer = needs(Role.VIEWER)


async def _may_see(request: Request) -> None:
    """Let those pass who call from this machine itself, and viewers. Raises ProblemError."""
    if not _is_local(request):
        await _as_viewer(request)


def _is_local(request: Request) -> bool:
    """Return whether the request comes from this machine and by no proxy, some of which add no header at all.

    Those pass on the name that was called, or speak HTTP/1.0.
    """
    return (
        request.client is not None
        and is_loopback(request.client.host)
        and is_loopback(request.url.hostname or "")
        and request.scope["http_version"] != "1.0"
        and not any(name in request.headers for name in _SIGNS_OF_PROXIES)
    )


@router.get("/metrics", summary="Figures for Prometheus", include_in_schema=False)
async def metrics(_allowed: Annotated[None, Depends(_may_see)]) -> Response:
    """Return what this process has counted since it began."""
    return Response(render_metrics(), media_type=MEDIA_TYPE)
