"""A workflow over many contacts, played against a running service: what it was told, how fast, and what is missing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from random import Random
from threading import Event
from typing import Any

from .executions import BLOCK, ExecutionSender, Sent, make_executions
from .portal import HubSpotPortal

THREADS = 32
_LOOK_S = 0.05
_LOOK_EACH = 20
_AT_ONCE = 0.5
"""The share of repeated executions that go out beside the first."""


@dataclass(frozen=True, slots=True)
class WorkflowPlan:
    """What is sent: to `contacts` contacts, `rate` a second; `repeated` and `forged` are shares of them, 0 to 1.

    A repeated execution goes out again, half of them at the same time; a forged one goes out beside the right one,
    signed by somebody else. `skew_s` is by how much the portal's clock is ahead. After the last one is sent it is
    waited for `patience_s` seconds.
    """

    contacts: int
    rate: float = 50.0
    repeated: float = 0.0
    forged: float = 0.0
    skew_s: float = 0.0
    write_back: bool = False
    patience_s: float = 120.0


@dataclass(frozen=True, slots=True)
class WorkflowReport:
    """What came of the executions. `failed` ones went on as failed, `refused` ones got a 4xx; times in seconds.

    `missing` ones were neither told nor refused in time; `twice` ones were completed by more than one call;
    `forged_accepted` counts forged requests that were not refused with 401.
    """

    sent: int
    at_once: int
    by_callback: int
    failed: int
    refused: int
    missing: int
    twice: int
    repeated: int
    sent_again: int
    forged: int
    forged_accepted: int
    calls: int
    seconds: float
    answer_p50: float
    answer_p99: float
    told_p50: float
    told_p99: float

    @property
    def completed(self) -> int:
        """Return how many executions were completed, at once or by a callback."""
        return self.at_once + self.by_callback

    @property
    def is_good(self) -> bool:
        """Return whether nothing is missing and nothing forged was accepted."""
        return not self.missing and not self.forged_accepted

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {"completed": self.completed, **{name: getattr(self, name) for name in self.__slots__}}


def run_workflow(
    portal: HubSpotPortal, url: str, plan: WorkflowPlan, progress: Callable[[int, int], None] = lambda _d, _t: None
) -> WorkflowReport:
    """Send the executions of a plan to the service at `url` and wait for what becomes of them.

    `progress` is called with how many were told something, of how many. The portal is served meanwhile, for the
    completions.
    """
    run = f"{time.time_ns():x}"
    end, chance = Event(), Random(run)  # noqa: S311 -- which executions are repeated is no secret
    executions = make_executions(portal, plan.contacts, run, write_back=plan.write_back)
    repeats = [Sent(each.callback_id, each.body) for each in executions if chance.random() < plan.repeated]
    by_id = {each.callback_id: each for each in repeats}
    forged: list[int] = []

    began = time.monotonic()
    with (
        closing(ExecutionSender(portal, url, plan.skew_s, end, THREADS)) as sender,
        ThreadPoolExecutor(THREADS, "workflow") as pool,
    ):
        later: list[Sent] = []
        for place, each in enumerate(executions):
            end.wait(max(0.0, began + place / plan.rate - time.monotonic()))
            pool.submit(sender.send, each)
            if (repeat := by_id.get(each.callback_id)) is not None:
                if chance.random() < _AT_ONCE:
                    pool.submit(sender.send, repeat)
                else:
                    later.append(repeat)
            if chance.random() < plan.forged:
                pool.submit(lambda body: forged.append(sender.forge(body)), each.body)
            if place % _LOOK_EACH == 0:
                progress(_note_completed(portal, executions), len(executions))
        for repeat in later:
            pool.submit(sender.send, repeat)
        deadline = time.monotonic() + plan.patience_s
        while (done := _note_completed(portal, executions)) < len(executions) and time.monotonic() < deadline:
            progress(done, len(executions))
            end.wait(_LOOK_S)
        end.set()

    _note_completed(portal, executions)
    return _report(portal, executions, repeats, forged, time.monotonic() - began)


def _note_completed(portal: HubSpotPortal, executions: Sequence[Sent]) -> int:
    """Note which executions were completed since; return how many are over."""
    done = 0
    for each in executions:
        if each.told_at is None and each.state == BLOCK:
            known = portal.workflows.waiting.get(each.callback_id)
            if known is not None and known.completions:
                each.told_at, each.outputs = time.monotonic(), known.completions[0][1]
        done += each.told_at is not None or bool(each.status)
    return done


def _report(
    portal: HubSpotPortal, executions: Sequence[Sent], repeats: Sequence[Sent], forged: Sequence[int], seconds: float
) -> WorkflowReport:
    told = [each for each in executions if each.told_at is not None]
    good = [each for each in told if each.outputs.get("hs_execution_state") == "SUCCESS"]
    waited = portal.workflows.waiting
    answers = [each.took_s for each in executions if each.took_s is not None]
    times = [each.told_at - each.sent_at for each in told if each.told_at is not None]
    calls = portal.requests["POST /automation/v4/actions/callbacks/complete"]
    return WorkflowReport(
        sent=len(executions),
        at_once=sum(each.state != BLOCK for each in good),
        by_callback=sum(each.state == BLOCK for each in good),
        failed=len(told) - len(good),
        refused=sum(bool(each.status) for each in executions),
        missing=sum(each.told_at is None and not each.status for each in executions),
        twice=sum(len(waited[each.callback_id].completions) > 1 for each in executions if each.callback_id in waited),
        repeated=len(repeats),
        sent_again=sum(each.again for each in (*executions, *repeats)),
        forged=len(forged),
        forged_accepted=sum(status not in (0, 401) for status in forged),
        calls=calls,
        seconds=round(seconds, 3),
        answer_p50=_quantile(answers, 0.5),
        answer_p99=_quantile(answers, 0.99),
        told_p50=_quantile(times, 0.5),
        told_p99=_quantile(times, 0.99),
    )


def _quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which so large a share of them lies; 0 where there are none."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 4) if ordered else 0.0
