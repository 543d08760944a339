"""The time that the services take by themselves: nobody waits for somebody else's."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from ringfence.sandbox.fault_file import parse_faults
from ringfence.sandbox.pace import with_time
from ringfence.sandbox.server import Sandbox

QUERY = {"operation": "query", "query": "SELECT Id FROM Contact"}


def test_no_time_given_leaves_the_faults_alone() -> None:
    faults = parse_faults("latency_ms: 3", "test")

    assert with_time(None) is None
    assert with_time(faults) is faults


def test_time_goes_before_what_the_faults_say() -> None:
    rule = "{service: hubspot, fault: {kind: reset}}"
    text = f"{{seed: 5, latency_ms: 3, salesforce: {{job_seconds: 1, page_size: 7}}, rules: [{rule}]}}"

    faults = with_time(parse_faults(text, "test"), job_seconds=20, call_ms=50)

    assert faults == parse_faults(text.replace("job_seconds: 1", "job_seconds: 20").replace("ms: 3", "ms: 50"), "test")


@pytest.mark.parametrize("wrong", [{"job_seconds": -1.0}, {"call_ms": -1}])
def test_a_time_that_nothing_takes_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        with_time(None, **wrong)  # type: ignore[arg-type]  # it is wrong on purpose


def test_calls_wait_and_jobs_work_beside_each_other() -> None:
    with (
        Sandbox(contacts=10, faults=with_time(None, job_seconds=0.4, call_ms=100)) as sandbox,
        ThreadPoolExecutor(8) as pool,
    ):
        url = f"{sandbox.salesforce_url}/services/data/v65.0/jobs/query"
        headers = {"Authorization": f"Bearer {sandbox.salesforce.access_token}"}
        started = time.monotonic()

        made = list(pool.map(lambda _: requests.post(url, json=QUERY, headers=headers, timeout=9).json(), range(8)))
        created = time.monotonic() - started
        time.sleep(0.4)
        states = [requests.get(f"{url}/{job['id']}", headers=headers, timeout=9).json()["state"] for job in made[:2]]

    assert 0.1 <= created < 0.5
    assert states == ["JobComplete"] * 2
