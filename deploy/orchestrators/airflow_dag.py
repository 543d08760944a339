"""ringfence as a DAG of Airflow 3: a mapped task for each CRM account. Set the three names.

The worker needs the command and its settings. What the task returns is its JSON document; it holds no full number.
"""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

RINGFENCE = "/opt/ringfence/.venv/bin/ringfence"
FOLDER = "/etc/ringfence"  # with .env
ACCOUNTS = ["salesforce", "hubspot"]

DONE, NO_RETRY, ONCE_MORE = {0, 1}, {2, 3}, {70}  # everything else, a kill included, passes
# ... but for these ends of a run: the next one would stop at the same guard, or spend a budget of its own.
NEEDS_A_PERSON = {"empty_full_read", "guard", "lookup_budget_used_up", "lookup_cost_used_up", "mass_change"}
NEEDS_A_PERSON |= {"opt_out_unheard"}


@task(retries=5, retry_delay=timedelta(minutes=5), retry_exponential_backoff=True, max_retry_delay=timedelta(hours=1))
def sync(account: str) -> dict[str, Any]:
    command = [RINGFENCE, "sync", account, "--yes", "--json"]
    with subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE) as process:
        try:
            said, _ = process.communicate()
        except BaseException:
            process.terminate()  # it ends its batch and gives the account free, which a kill would not
            raise

    code, document = process.returncode, json.loads(said or "{}")
    if code in DONE:
        return dict(document)
    again = get_current_context()["ti"].try_number > 1
    if code in NO_RETRY or document.get("code") in NEEDS_A_PERSON or (code in ONCE_MORE and again):
        raise AirflowFailException(f"ringfence sync {account} ended with {code}: see its log above")
    raise RuntimeError(f"ringfence sync {account} ended with {code}; the next try goes on from there")


@dag(schedule="15 2 * * *", start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False, max_active_runs=1)
def ringfence() -> None:
    sync.expand(account=ACCOUNTS)


ringfence()
