"""Executions of a workflow action that the portal sends out, each until it has an answer."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event
from typing import Any

import urllib3

from .portal import HubSpotPortal
from .signing import sign

ACTION = "/hubspot/workflow-actions/screen"

TIMEOUT_S = 30.0
"""How long an answer may take, in seconds: no more is known of HubSpot."""

FIRST_AGAIN_S, LONGEST_AGAIN_S = 0.25, 5.0
"""The pauses before a call that failed for a passing reason goes out again; HubSpot's grow longer, up to days."""

BLOCK = "BLOCK"


@dataclass(slots=True)
class Sent:
    """One execution: its id and body, and what came of it.

    `state` is what the service said last, `took_s` how long its first answer took; `sent_at` and `told_at` are by the
    monotonic clock. `status` is the one of a refusal that ended it.
    """

    callback_id: str
    body: bytes
    sent_at: float = 0.0
    told_at: float | None = None
    took_s: float | None = None
    state: str = ""
    status: int = 0
    outputs: Mapping[str, str] = field(default_factory=dict)
    again: int = 0


class ExecutionSender:
    """Sends executions for a portal to a service, as HubSpot does; may be used from several threads.

    `skew_s` is by how much the portal's clock is ahead. Whoever waits for a passing fault gives up once `end` is set.
    """

    def __init__(self, portal: HubSpotPortal, url: str, skew_s: float, end: Event, threads: int) -> None:
        self._portal = portal
        self._url = url.rstrip("/") + ACTION
        self._skew_s = skew_s
        self._end = end
        self._pool = urllib3.PoolManager(maxsize=threads, retries=False, timeout=TIMEOUT_S)

    def send(self, sent: Sent) -> None:
        """Send an execution until it is answered or refused for good, and note what came of it."""
        sent.sent_at = sent.sent_at or time.monotonic()
        pause_s = FIRST_AGAIN_S
        while not self._end.is_set():
            began = time.monotonic()
            status, headers, document = self._post(sent.body, self._portal.client_secret)
            if 200 <= status < 300:
                self._note(sent, document, time.monotonic() - began)
                return
            if status and status != 429 and status < 500:
                sent.status = status
                return
            sent.again += 1
            asked_s = float(headers.get("Retry-After", 0)) / 1000 if status == 429 else 0.0
            self._end.wait(max(asked_s, pause_s))
            pause_s = min(pause_s * 2, LONGEST_AGAIN_S)

    def forge(self, body: bytes) -> int:
        """Send an execution that somebody else has signed; return the status of the answer, 0 for none."""
        return self._post(body, "somebody else's secret")[0]

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _post(self, body: bytes, secret: str) -> tuple[int, Mapping[str, str], Any]:
        now_ms = self._portal.now() + int(self._skew_s * 1000)
        headers = {"Content-Type": "application/json", **sign(secret, "POST", self._url, body, now_ms)}
        try:
            answer = self._pool.request("POST", self._url, body=body, headers=headers)
            return answer.status, answer.headers, json.loads(answer.data)
        except (urllib3.exceptions.HTTPError, ValueError):
            return 0, {}, None

    def _note(self, sent: Sent, document: Any, took_s: float) -> None:
        outputs = document.get("outputFields", {}) if isinstance(document, dict) else {}
        sent.state, sent.took_s = str(outputs.get("hs_execution_state", "")), sent.took_s or took_s
        if sent.state == BLOCK:
            with self._portal.lock:
                self._portal.workflows.block(sent.callback_id, self._portal.clock.now(), timedelta(days=3))
            return
        sent.outputs = outputs
        sent.told_at = sent.told_at or time.monotonic()


def make_executions(portal: HubSpotPortal, count: int, run: str, *, write_back: bool) -> list[Sent]:
    """Return an execution for each of so many contacts that have a phone number; `run` keeps their ids apart."""
    made = []
    with portal.lock:
        filled = [(record_id, values) for record_id, values in portal.contacts.items() if values.get("phone")]
    for place, (record_id, values) in enumerate(filled[:count]):
        callback_id = f"ap-{portal.portal_id}-{run}-{place}-0"
        inputs = {"phone": values["phone"], "country": values.get("country", "")}
        document = {
            "callbackId": callback_id,
            "origin": {"portalId": portal.portal_id, "actionDefinitionId": 1, "actionDefinitionVersion": 1},
            "context": {"source": "WORKFLOWS", "workflowId": 1},
            "object": {"objectId": int(record_id), "objectType": "CONTACT", "properties": {}},
            "inputFields": {**inputs, **({"write_back": "true"} if write_back else {})},
        }
        made.append(Sent(callback_id, json.dumps(document).encode()))
    return made
