"""Routes that do what no real one should, for the tests of what every request goes through."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict

from ringfence.apps.web.callers import Caller, needs
from ringfence.apps.web.service import Served
from ringfence.core.errors import (
    AuthenticationError,
    ErrorCode,
    QuotaError,
    RingfenceError,
    SettingsError,
    StateError,
    StoppedError,
    UsageError,
)
from ringfence.core.model.roles import Role

NUMBER = "+14155552671"

RAISED: Mapping[str, RingfenceError] = {
    "usage": UsageError(f"{NUMBER} cannot be meant.", "Send another."),
    "settings": SettingsError("RINGFENCE_SECRET is wrong."),
    "state": StateError("The state store /var/lib/secret.db is damaged."),
    "stopped": StoppedError("The state store postgresql://secret is away."),
    "quota": QuotaError("1,000 lookups are used up."),
    "refused": AuthenticationError("The token secret was refused."),
    "expired": StoppedError("us-dnc has expired.", code=ErrorCode.LISTS_EXPIRED),
    "bug": RingfenceError(f"No secret about {NUMBER}."),
}

router = APIRouter()
logger = logging.getLogger("ringfence.test")
begun, released = threading.Event(), threading.Event()


class Body(BaseModel):
    """What a caller may send."""

    model_config = ConfigDict(extra="forbid", strict=True)

    number: str
    channel: str = "voice"


@router.post("/odd/body")
async def read_body(body: Body) -> Body:
    return body


@router.get("/odd/wait")
def wait() -> dict[str, bool]:
    """Answer once a test lets it."""
    begun.set()
    return {"released": released.wait(20)}


@router.post("/odd/size")
@router.post("/hubspot/odd")
async def size(request: Request) -> dict[str, int]:
    return {"bytes": len(await request.body())}


@router.post("/odd/log/{number}")
def log(number: str) -> dict[str, str]:
    logger.warning("Somebody asked for %s.", number)
    return {}


@router.get("/odd/fault")
def fault() -> None:
    raise KeyError(NUMBER)


@router.get("/odd/raise/{name}")
def raise_error(name: str) -> None:
    raise RAISED[name]


@router.get("/odd/store")
def store(service: Served) -> dict[str, str]:
    with service.store.transaction() as connection:
        return {"answer": str(connection.exec_driver_sql("SELECT 1").scalar())}


@router.get("/odd/as/viewer")
async def as_viewer(caller: Annotated[Caller, Depends(needs(Role.VIEWER))]) -> dict[str, str]:
    return {"name": caller.name}


@router.get("/odd/as/compliance")
async def as_compliance(caller: Annotated[Caller, Depends(needs(Role.COMPLIANCE))]) -> dict[str, str]:
    return {"name": caller.name}
