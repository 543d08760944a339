"""What the service counts, for Prometheus: one registry of our own for the process."""

from __future__ import annotations

from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest

REGISTRY = CollectorRegistry()
"""Holds what this process has counted since it began."""

ProcessCollector(registry=REGISTRY)  # memory, processor time and open files, where the system tells

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_PREFIX = "ringfence_"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25)


class Count(NamedTuple):
    """What a counter counts, and by which labels. A label never holds what a caller chose freely."""

    help: str
    labels: tuple[str, ...] = ()


COUNTS: dict[str, Count] = {
    "http_requests": Count("Requests by route, method and status.", ("route", "method", "status")),
    "http_refused": Count("Requests that were refused before any route saw them.", ("reason",)),
    "denied": Count("Requests without a token that counts, or of a role that may not.", ("status",)),
    "hubspot_requests": Count("Requests at paths of HubSpot, by what their signature was found to be.", ("finding",)),
    "signals": Count("Signals by who tells them, and what became of them or of their signature.", ("vendor", "result")),
    "workflow_executions": Count("Executions of workflow actions, by what was answered.", ("action", "result")),
    "workflow_completions": Count("Executions that were completed later, by what became of them.", ("result",)),
    "hubspot_events": Count("Events of HubSpot's webhooks, by what they brought.", ("outcome",)),
    "salesforce_notifications": Count("Notifications of outbound messages, by what they brought.", ("outcome",)),
    "faults": Count("Requests that ended by a fault of ringfence itself."),
}
"""Every counter by its name in the code; Prometheus sees ``ringfence_NAME_total``."""

_COUNTERS = {
    name: Counter(_PREFIX + name, count.help, count.labels, registry=REGISTRY) for name, count in COUNTS.items()
}
_DURATION = Histogram(
    f"{_PREFIX}http_request_seconds",
    "How long an answer took, by route.",
    ("route",),
    buckets=_SECONDS,
    registry=REGISTRY,
)


def count(name: str, by: int = 1, **labels: str) -> None:
    """Count something of :data:`COUNTS` under its labels. Raises KeyError for what is not in there."""
    counter = _COUNTERS[name]
    (counter.labels(**labels) if labels else counter).inc(by)


def observe_duration(route: str, seconds: float) -> None:
    """Note how long an answer of a route took."""
    _DURATION.labels(route=route).observe(seconds)


def render_metrics() -> bytes:
    """Return all that was counted, in Prometheus' text format."""
    return generate_latest(REGISTRY)
