"""The contents of a faults file: which faults happen at which requests, and how the services are set up.

`fault_file.py` reads one; `docs/faults.example.yaml` shows every kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self, TypeVar

from pydantic import Field, model_validator

from ringfence.core.errors import FixError

from .fault_kinds import Fault, FaultModel, Share

Purpose = Literal["sign_in", "read", "write", "schema", "lookup", "other"]
"""The purpose of a request: `read` and `write` are about records, `schema` about fields and permissions."""

Method = Literal["GET", "POST", "PATCH", "PUT", "DELETE"]


class FaultsError(FixError):
    """The faults are wrong by themselves: an unknown key or kind, or something that the sandbox does not have."""


class When(FaultModel):
    """The requests at which a rule acts: all conditions that are set must hold.

    The rule counts the requests that match `method`, `path` and `purpose`, from 1; the other conditions are about
    that count.
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


class ServiceSettings(FaultModel):
    """The settings that every service has; a service adds its own in a subclass."""

    latency_ms: int = Field(0, ge=0, le=600_000, description="Added to every answer.")
    clock_skew_s: float = Field(0, description="How far its clock is ahead of the shared one; negative: behind.")


class Rule(FaultModel):
    """One fault of one service, and when it happens (at every request where `when` is left out)."""

    service: str
    when: When = When()
    fault: Fault


class Faults(FaultModel):
    """All of a faults file. The same seed and the same order of requests give the same faults.

    Each service has a section of its own besides these keys: fault_schema.py adds it.
    """

    seed: int = 7
    latency_ms: int = Field(0, ge=0, le=600_000, description="Added to every answer of every service.")

    if TYPE_CHECKING:  # a field of the schema, which puts it behind the sections of the services
        rules: tuple[Rule, ...] = ()

    def section(self, service: str, model: type[S]) -> S:
        """Return the section of a service, whose model is given."""
        section = getattr(self, service)
        assert isinstance(section, model)  # noqa: S101  # the schema has been built with this very model
        return section

    def concern(self, service: str) -> bool:
        """Return whether any setting or rule concerns a service."""
        section = self.section(service, ServiceSettings)
        ruled = any(rule.service == service for rule in self.rules)

        return bool(self.latency_ms) or section != type(section)() or ruled

    def latency_s(self, service: str) -> float:
        """Return the delay, in seconds, of every answer of a service."""
        return (self.latency_ms + self.section(service, ServiceSettings).latency_ms) / 1000


S = TypeVar("S", bound=ServiceSettings)
