"""The script for phone fields of web pages, and the page that shows it."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import NamedTuple

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

router = APIRouter(prefix="/form", include_in_schema=False)

_PACKAGE = "ringfence.apps.pages"
_KEPT_S = 300

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


class _File(NamedTuple):
    name: str
    media_type: str


_FILES = {
    "": _File("form.html", "text/html; charset=utf-8"),
    "form.css": _File("form.css", "text/css; charset=utf-8"),
    "form.js": _File("form.js", "text/javascript; charset=utf-8"),
    "ringfence.js": _File("ringfence.js", "text/javascript; charset=utf-8"),
}


@router.get("")
async def find_form() -> Response:
    """Show the way to the page, wherever a proxy has put it."""
    return RedirectResponse("form/", 308)


@router.get("/")
async def show_form() -> Response:
    """Show the page."""
    return _send("")


@router.get("/form.css")
async def show_style() -> Response:
    """Send the page's style."""
    return _send("form.css")


@router.get("/form.js")
async def show_page_script() -> Response:
    """Send the page's own script."""
    return _send("form.js")


@router.get("/ringfence.js")
async def show_script() -> Response:
    """Send the script that pages of anybody's may load."""
    response = _send("ringfence.js")
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _send(path: str) -> Response:
    file = _FILES[path]
    return Response(
        _read(file.name),
        media_type=file.media_type,
        headers={
            "Cache-Control": f"public, max-age={_KEPT_S}",
            "Content-Security-Policy": _POLICY,
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        },
    )


@cache
def _read(name: str) -> bytes:
    return resources.files(_PACKAGE).joinpath(name).read_bytes()
