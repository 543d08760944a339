"""ringfence as a job of Dagster with a schedule. `dagster dev -f dagster_job.py` tries it; set the names first.

The run's JSON document becomes the metadata of the step's output; it holds no full number.
"""

import json
import subprocess
from typing import Any

import dagster as dg

RINGFENCE = "/opt/ringfence/.venv/bin/ringfence"
FOLDER = "/etc/ringfence"  # with .env
ACCOUNTS = ["salesforce", "hubspot"]

DONE, NO_RETRY, ONCE_MORE = {0, 1}, {2, 3}, {70}  # everything else, a kill included, passes
# ... but for these ends of a run: the next one would stop at the same guard, or spend a budget of its own.
NEEDS_A_PERSON = {"empty_full_read", "guard", "lookup_budget_used_up", "lookup_cost_used_up", "mass_change"}
NEEDS_A_PERSON |= {"opt_out_unheard"}
AGAIN = dg.RetryPolicy(max_retries=5, delay=300, backoff=dg.Backoff.EXPONENTIAL)


def sync_of(account: str) -> Any:
    @dg.op(name=f"sync_{account}", retry_policy=AGAIN)
    def sync(context: dg.OpExecutionContext) -> None:
        command = [RINGFENCE, "sync", account, "--yes", "--json"]
        with subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE) as process:
            try:
                said, _ = process.communicate()
            except BaseException:
                process.terminate()  # it ends its batch and gives the account free, which a kill would not
                raise

        code, document = process.returncode, json.loads(said or "{}")
        if code in DONE:
            context.add_output_metadata({"summary": dg.MetadataValue.json(document)})
            return
        final = code in NO_RETRY or document.get("code") in NEEDS_A_PERSON
        final = final or (code in ONCE_MORE and context.retry_number > 0)
        raise dg.Failure(f"ringfence sync {account} ended with {code}", allow_retries=not final)

    return sync


@dg.job
def ringfence() -> None:
    for account in ACCOUNTS:
        sync_of(account)()


nightly = dg.ScheduleDefinition(name="nightly", job=ringfence, cron_schedule="15 2 * * *")
definitions = dg.Definitions(jobs=[ringfence], schedules=[nightly])
