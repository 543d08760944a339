"""The time that the services themselves take: for a job, and for a call.

It is their own time and nobody's turn: calls wait beside each other, and jobs work beside each other, as many as there
are (docs/vendors/salesforce.md, sections 2.2 and 2.3, name no limit of jobs at work).
"""

from __future__ import annotations

from typing import Any

from .fault_schema import faults_model
from .faults import Faults
from .plugin import installed_services

_JOB = "job_seconds"


def with_time(faults: Faults | None, *, job_seconds: float | None = None, call_ms: int | None = None) -> Faults | None:
    """Return the faults together with that time; None stands for no faults, and for a time that is left as it is.

    ``job_seconds`` is that of each job of the services that have any, ``call_ms`` is added to every answer. They go
    before what the faults say of the same. Raises pydantic's ValidationError for a time that no service can take.
    """
    if job_seconds is None and call_ms is None:
        return faults

    content: dict[str, Any] = (faults or faults_model()()).model_dump(exclude_unset=True)
    if call_ms is not None:
        content["latency_ms"] = call_ms
    for name, service in installed_services().items():
        if job_seconds is not None and _JOB in service.fault_settings.model_fields:
            content[name] = {**content.get(name, {}), _JOB: job_seconds}
    return faults_model().model_validate(content)
