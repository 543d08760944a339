"""HubSpot's side of a workflow for tests: a portal of the sandbox, its signed executions, and the wiring for both."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from ringfence.apps.settings import build_settings
from ringfence.apps.wiring import Wiring
from ringfence.sandbox.hubspot.portal import HubSpotPortal
from ringfence.sandbox.hubspot.signing import sign
from ringfence.sandbox.server import Sandbox

from .served import RunningService

COMPLETE_CALL = "POST /automation/v4/actions/callbacks/complete"
SCREEN, CHECK = "/hubspot/workflow-actions/screen", "/hubspot/workflow-actions/check-opt-out"


@contextmanager
def portal_settings(state_url: str, contacts: int = 200, **more: str) -> Iterator[tuple[Sandbox, dict[str, str]]]:
    """Give a sandbox, and the settings by which ringfence works with it and may buy lookups there."""
    with Sandbox(contacts=contacts) as sandbox:
        yield (
            sandbox,
            {
                **sandbox.settings(),
                "RINGFENCE_STATE_URL": state_url,
                "RINGFENCE_LOOKUP__PROVIDERS": '["twilio"]',
                "RINGFENCE_LOOKUP__MAX_PER_DAY": "100000",
                **more,
            },
        )


def wire_portal(settings: Mapping[str, str], **parts: Any) -> Wiring:
    """Return the wiring for these settings; ``parts`` are further ones of it, such as a clock."""
    return Wiring(build_settings(dict(settings)), **parts)


@dataclass
class Workflow:
    """Sends executions of a portal to a running service."""

    portal: HubSpotPortal
    running: RunningService
    secret: str = ""
    sent: int = field(default=0)

    def __post_init__(self) -> None:
        self.secret = self.secret or self.portal.client_secret

    def execution(self, phone: Any, *, callback: str = "", record: str = "1", **inputs: Any) -> dict[str, Any]:
        """Return the body of an execution, under a new callback id unless one is given."""
        self.sent += 1
        return {
            "callbackId": callback or f"ap-{self.portal.portal_id}-{self.sent}-0",
            "origin": {"portalId": self.portal.portal_id, "actionDefinitionId": 1, "actionDefinitionVersion": 1},
            "context": {"source": "WORKFLOWS", "workflowId": 1},
            "object": {"objectId": int(record), "objectType": "CONTACT", "properties": {}},
            "inputFields": {"phone": phone, **inputs},
        }

    def send(self, document: Any, path: str = SCREEN, **how: Any) -> requests.Response:
        """Send a body, signed by HubSpot unless other ``headers`` are given; ``document`` may be bytes."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        headers = how.pop("headers", None)
        if headers is None:
            headers = self.signed(body, path, **how)
        return self.running.post(path, data=body, headers={"Content-Type": "application/json", **headers})

    def signed(self, body: bytes, path: str = SCREEN, *, at_ms: int | None = None, url: str = "") -> dict[str, str]:
        """Return the headers by which HubSpot signs a body."""
        now_ms = int(self.running.service.clock.now().timestamp() * 1000)
        url = url or self.running.service.public_url + path
        return sign(self.secret, "POST", url, body, now_ms if at_ms is None else at_ms)

    def ask(self, phone: Any, path: str = SCREEN, **inputs: Any) -> dict[str, str]:
        """Send an execution and return the outputs."""
        answer = self.send(self.execution(phone, **inputs), path)
        assert answer.status_code == 200, answer.text
        outputs: dict[str, str] = answer.json()["outputFields"]
        return outputs

    def completions(self, callback: str) -> list[Mapping[str, str]]:
        """Return the outputs of every call that wanted to complete an execution."""
        with self.portal.lock:
            known = self.portal.workflows.waiting.get(callback)
            return [] if known is None else [outputs for _, outputs in known.completions]
