"""Jobs of the kind ``privacy-deletion``: a CRM has forgotten somebody for good."""

from __future__ import annotations

from ringfence.core.ports.crm import Org
from ringfence.core.ports.jobs import AttemptError, JobRun

from ..operations.forgetting import forget_person
from ..wiring import Wiring
from .door import open_job_door


def forget_record(wiring: Wiring, run: JobRun) -> str | None:
    """Forget the person of the records that the job names; return a remark where there is one to make.

    Raises AttemptError for a job that names none.
    """
    told = run.job.arguments
    crm, portal, name, ids = told.get("crm"), told.get("org"), told.get("object"), told.get("ids")
    if not (isinstance(crm, str) and isinstance(portal, str) and isinstance(name, str) and isinstance(ids, list)):
        raise AttemptError("The job names no record.", "Cancel it.", exit_code=2)
    org = Org(crm, portal, "", production=False)
    return forget_person(wiring, org, name, [str(each) for each in ids], open_job_door(run, f"{crm} webhooks"))
