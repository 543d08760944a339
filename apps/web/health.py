"""Whether the service is alive, and whether it is ready for work."""

from __future__ import annotations

from fastapi import APIRouter

from ringfence.core.errors import RingfenceError
from ringfence.core.ports.jobs import DEFAULT_QUEUE
from ringfence.core.state.jobs.workers import served_queues
from ringfence.core.state.schema_version import is_up_to_date
from ringfence.core.state.store import refuse_moved

from .problems import ProblemError
from .remedies import RETRY_S
from .service import Served, Service

router = APIRouter(tags=["health"])


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", summary="Whether the process is alive")
async def healthz() -> dict[str, str]:
    """Answer as long as the process can."""
    return {"status": "ok"}


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", summary="Whether the service is ready for work")
def readyz(service: Served) -> dict[str, str]:
    """Answer 200 where the state store is reachable and migrated and jobs are worked off, else 503."""
    if lacks := _find_lack(service):
        raise ProblemError(503, lacks, code="not_ready", headers={"Retry-After": str(RETRY_S)})
    return {"status": "ready"}


def _find_lack(service: Service) -> str:
    """Return what the service lacks to be ready; empty: nothing."""
    try:
        with service.store.transaction() as connection:
            refuse_moved(connection)
            is_migrated = is_up_to_date(connection)
        if not is_migrated:
            return "The state store has another schema version than this process. Start it anew."
        if not service.is_working() and DEFAULT_QUEUE not in served_queues(service.store, service.clock):
            return "Nobody works the jobs off right now."
    except RingfenceError:
        return "The state store cannot be reached or does not work."
    return ""
