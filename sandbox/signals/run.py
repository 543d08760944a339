"""Signals of all vendors, played against a running service: which it took, which it refused, and what was odd."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from threading import local
from typing import Any

import requests

from .vendors import SignedPost, make_post

THREADS = 8
_WAIT_S = 30
_UNAUTHORIZED = 401
_TAKEN = (200, 204)
_FIGURES = "ringfence_signals_total{"
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class SignalPlan:
    """What is sent: so many signals; `repeated` and `forged` are shares of them, 0 to 1.

    A repeated one goes out again as it was. A forged one has another body under the signature, or no signature.
    """

    count: int
    repeated: float = 0.0
    forged: float = 0.0


@dataclass(slots=True)
class SignalReport:
    """What came of the signals. `odd` names answers that are not the documented ones; times are in seconds.

    `became` counts what the service made of them, by its own figures; empty where it shows none here.
    """

    sent: int = 0
    accepted: int = 0
    repeated: int = 0
    forged: int = 0
    forged_refused: int = 0
    odd: list[str] = field(default_factory=list)
    became: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    p50: float = 0.0
    p99: float = 0.0

    @property
    def is_good(self) -> bool:
        """Return whether every answer was the documented one."""
        return not self.odd

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**told, "odd": self.odd[:_SHOWN], "odd_total": len(self.odd)}


def run_signals(url: str, plan: SignalPlan) -> SignalReport:
    """Send the signals of a plan to the service at `url`, and tell what it answered."""
    run = f"{time.time_ns():x}"
    chance, sender, report = Random(run), _Sender(url), SignalReport(sent=plan.count)  # noqa: S311 -- no secret
    before, began = sender.read_figures(), time.monotonic()

    def tell(place: int) -> SignedPost:
        post = make_post(url, run, place, datetime.now(UTC))
        sender.expect(post, _TAKEN, post.becomes, report)
        return post

    with ThreadPoolExecutor(THREADS, "signals") as pool:
        posts = list(pool.map(tell, range(plan.count)))
        again = [post for post in posts if chance.random() < plan.repeated]
        false = [post for post in posts if chance.random() < plan.forged]
        report.repeated, report.forged = len(again), len(false)
        list(pool.map(lambda post: sender.expect(post, _TAKEN, "known" if post.becomes else "", report), again))
        bad = [post.unsigned() if chance.random() < 1 / 2 else post.forged() for post in false]
        list(pool.map(lambda post: sender.expect(post, (_UNAUTHORIZED,), "", report), bad))

    report.seconds = time.monotonic() - began
    after = sender.read_figures()
    report.became = {name: after[name] - before[name] for name in sorted(after) if after[name] > before[name]}
    report.p50, report.p99 = _percentiles(sender.times)
    return report


class _Sender:
    """Sends requests, by a connection of each thread, and compares the answers with what is documented."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._own = local()
        self.times: list[float] = []

    def expect(self, post: SignedPost, statuses: Sequence[int], becomes: str, report: SignalReport) -> None:
        """Send a request, and note where the answer is another one."""
        began = time.monotonic()
        try:
            answer = self._session().post(self._url + post.path, data=post.body, headers=post.headers, timeout=_WAIT_S)
        except requests.RequestException as error:
            report.odd.append(f"{post.path}: no answer ({type(error).__name__})")
            return
        self.times.append(time.monotonic() - began)
        if answer.status_code not in statuses:
            report.odd.append(f"{post.path}: {answer.status_code} in place of {' or '.join(map(str, statuses))}")
        elif becomes and answer.json().get("result") != becomes:
            report.odd.append(f"{post.path}: {answer.json().get('result')} in place of {becomes}")
        elif answer.status_code == _UNAUTHORIZED:
            report.forged_refused += 1
        else:
            report.accepted += 1

    def read_figures(self) -> Counter[str]:
        """Return what the service has counted, by vendor and result; nothing where it shows nothing here."""
        try:
            answer = self._session().get(f"{self._url}/metrics", timeout=_WAIT_S)
        except requests.RequestException:
            return Counter()
        found: Counter[str] = Counter()
        for line in answer.text.splitlines() if answer.ok else ():
            if line.startswith(_FIGURES):
                labels, _, value = line.removeprefix(_FIGURES).rpartition("} ")
                told = dict(part.split("=", 1) for part in labels.split(","))
                found[f"{told['vendor']} {told['result']}".replace('"', "")] = int(float(value))
        return found

    def _session(self) -> requests.Session:
        if not hasattr(self._own, "session"):
            self._own.session = requests.Session()
            self._own.session.trust_env = False  # a proxy of the environment has no business here
        session: requests.Session = self._own.session
        return session


def _percentiles(times: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(times) or [0.0]
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
