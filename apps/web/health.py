"""Whether the service is alive, and whether it is ready for work."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()


@router.get("/healthz", summary="Whether the process is alive")
def healthz() -> dict[str, str]:
    """Answer as long as the process can."""
    return {"status": "ok"}
