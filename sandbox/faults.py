"""Faults that the sandbox can be told to have: which, at which requests, and how the services are set up.

A file of them is read by `read_faults` (fault_file.py); `docs/faults.example.yaml` shows every kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from ringfence.core.config.spelling import did_you_mean
from ringfence.core.errors import FixError

from .fault_kinds import FaultModel, Kind, Service, Share

Purpose = Literal["sign_in", "read", "write", "schema", "lookup", "other"]
"""What a request is for: `read` and `write` are about records, `schema` about fields and permissions."""

Method = Literal["GET", "POST", "PATCH", "PUT", "DELETE"]


class FaultsError(FixError):
    """The faults are wrong by themselves: an unknown key or kind, or something that the sandbox does not have."""


class When(FaultModel):
    """At which requests a rule acts: every condition given must be met.

    `method`, `path` and `purpose` say which requests the rule counts; the others speak of that count, from 1.
    """

    method: Method | None = None
    path: str | None = Field(
        None, description="As in the service's documentation, without host and API version; {any} or * = one segment."
    )
    purpose: Purpose | None = None
    nth: int | None = Field(None, ge=1, description="The nth request, once.")
    every: int | None = Field(None, ge=1, description="Every so many requests.")
    after: int | None = Field(None, ge=0, description="All requests after so many.")
    between: tuple[int, int] | None = Field(None, description="From the first number to the second, both included.")
    probability: Share | None = Field(None, description="Drawn by the seed at each request that meets the rest.")
    times: int | None = Field(None, ge=1, description="Not more often than this.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.nth is not None and (self.every, self.after, self.between) != (None, None, None):
            raise ValueError("nth stands alone: it cannot be combined with every, after or between")
        if self.between and not 1 <= self.between[0] <= self.between[1]:
            raise ValueError("between takes two counts from 1 on, the smaller one first")
        if self.path is not None and not self.path.startswith("/"):
            raise ValueError(f"path {self.path!r} must start with a slash")
        return self


class Rule(FaultModel):
    """One fault of one service, and when it happens (at every request where `when` is left out)."""

    service: Service
    when: When = When()
    fault: Kind

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.service not in self.fault.services:
            can = " and ".join(self.fault.services)
            raise ValueError(f"{self.fault.kind} is a fault of {can}, not of {self.service}")
        return self


class ServiceSettings(FaultModel):
    """What every service can be set to from the start."""

    latency_ms: int = Field(0, ge=0, le=600_000, description="Added to every answer.")
    clock_skew_s: float = Field(0, description="How far its clock is ahead of the shared one; negative: behind.")


class SalesforceSettings(ServiceSettings):
    """Salesforce: quotas, page size and jobs. What is left out stays as the sandbox has it."""

    page_size: int | None = Field(None, ge=1, le=2_000)
    api_limit: int | None = Field(None, ge=0, description="Calls a day.")
    api_usage: int | None = Field(None, ge=0, description="Calls that are used already.")
    app_limit: tuple[str, int] | None = Field(
        None, description="Name and limit of the app: adds the second form of Sforce-Limit-Info."
    )
    job_seconds: float | None = Field(None, ge=0, le=86_400, description="How long a Bulk job takes.")
    job_batch_rows: int | None = Field(None, ge=1, le=10_000, description="Rows of an internal batch.")
    upload_mb: int | None = Field(None, ge=1, le=150, description="Largest file of an ingest job.")
    second_upload: Literal["close", "upload"] | None = Field(
        None, description="What is refused of an ingest job whose data came twice."
    )
    daily_query_jobs: int | None = Field(None, ge=0, description="Query jobs in 24 hours.")
    daily_query_kb: int | None = Field(None, ge=0, description="Stored results of query jobs in 24 hours.")
    daily_batches: int | None = Field(None, ge=0, description="Batches of ingest jobs in 24 hours.")


class HubSpotSettings(ServiceSettings):
    """HubSpot: limits, search index, and what its documentation leaves open. What is left out stays as it is."""

    search_lag_s: float | None = Field(None, ge=0, le=3_600)
    invalid_value: Literal["whole", "row"] | None = Field(None, description="What one bad value refuses.")
    noop_bumps: bool | None = Field(None, description="A write that changes nothing moves the modification time.")
    daily_limit: int | None = Field(None, ge=0)
    calls_per_ten_s: int | None = Field(None, ge=1)
    searches_per_s: int | None = Field(None, ge=1)
    retry_after: int | None = Field(None, ge=0, description="Seconds that its 429 answers name; none by default.")


class TwilioSettings(ServiceSettings):
    """Twilio Lookup: its limit. What is left out stays as it is."""

    requests_per_second: int | None = Field(None, ge=1)


class Faults(FaultModel):
    """All of a faults file. The same seed and the same order of requests give the same faults."""

    seed: int = 7
    latency_ms: int = Field(0, ge=0, le=600_000, description="Added to every answer of every service.")
    salesforce: SalesforceSettings = SalesforceSettings()
    hubspot: HubSpotSettings = HubSpotSettings()
    twilio: TwilioSettings = TwilioSettings()
    rules: tuple[Rule, ...] = ()

    def concern(self, service: Service) -> bool:
        """Tell whether anything here is about a service."""
        untouched = getattr(self, service) == type(getattr(self, service))()
        return bool(self.latency_ms) or not untouched or any(rule.service == service for rule in self.rules)

    def latency_s(self, service: Service) -> float:
        """Return the seconds that every answer of a service is late by."""
        own: ServiceSettings = getattr(self, service)
        return (self.latency_ms + own.latency_ms) / 1000


KINDS: Mapping[str, type[FaultModel]] = {
    get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(get_args(Kind)[0])
}
"""The model of each kind of fault, by its name in a file."""


def known_keys(place: tuple[str | int, ...]) -> list[str]:
    """Return the keys that may stand at a place of a faults file, given as pydantic names it."""
    if not place:
        return list(Faults.model_fields)
    sections: dict[str, type[FaultModel]] = {
        "salesforce": SalesforceSettings,
        "hubspot": HubSpotSettings,
        "twilio": TwilioSettings,
        "when": When,
        **KINDS,
    }
    model = Rule if place[0] == "rules" and len(place) == 2 else sections.get(str(place[-1]))
    return list(model.model_fields) if model else []


def meant(word: object, place: tuple[str | int, ...]) -> str:
    """Return `` (did you mean 'x'?)`` for a key that is not known at a place, or nothing."""
    return did_you_mean(str(word), known_keys(place))
