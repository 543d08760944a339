"""ringfence as a flow of Prefect 3, an account a task. `python prefect_flow.py` serves it; set the names first.

What a task returns is the run's JSON document; it holds no full number.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any

from prefect import flow, task
from prefect.tasks import exponential_backoff

RINGFENCE = "/opt/ringfence/.venv/bin/ringfence"
FOLDER = "/etc/ringfence"  # with .env
ACCOUNTS = ["salesforce", "hubspot"]

DONE, NO_RETRY, ONCE_MORE = {0, 1}, {2, 3}, {70}  # everything else, a kill included, passes
# ... but for these ends of a run: the next one would stop at the same guard, or spend a budget of its own.
NEEDS_A_PERSON = {"empty_full_read", "guard", "lookup_budget_used_up", "lookup_cost_used_up", "mass_change"}
NEEDS_A_PERSON |= {"opt_out_unheard"}


class EndedError(RuntimeError):
    """The command ended with this exit code, in this situation."""

    def __init__(self, account: str, code: int, situation: str) -> None:
        super().__init__(account, code, situation)  # as its arguments, so that it can be pickled
        self.account, self.code, self.situation = account, code, situation

    def __str__(self) -> str:
        return f"ringfence sync {self.account} ended with {self.code}"


def worth_a_retry(_task: Any, task_run: Any, state: Any) -> bool:
    ended = state.result(raise_on_failure=False)
    if not isinstance(ended, EndedError):
        return True
    final = ended.code in NO_RETRY or ended.situation in NEEDS_A_PERSON
    return not final and not (ended.code in ONCE_MORE and task_run.run_count > 1)


@task(retries=5, retry_delay_seconds=exponential_backoff(backoff_factor=300), retry_condition_fn=worth_a_retry)
def sync(account: str) -> dict[str, Any]:
    command = [RINGFENCE, "sync", account, "--yes", "--json"]
    with subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE) as process:
        try:
            said, _ = process.communicate()
        except BaseException:
            process.terminate()  # it ends its batch and gives the account free, which a kill would not
            raise

    document = json.loads(said or "{}")
    if process.returncode not in DONE:
        raise EndedError(account, process.returncode, document.get("code", ""))
    return dict(document)


@flow(name="ringfence")
def ringfence() -> None:
    for run in sync.map(ACCOUNTS):
        run.result()


if __name__ == "__main__":
    ringfence.serve(name="nightly", cron="15 2 * * *")
