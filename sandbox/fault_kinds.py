"""What can go wrong at several services: one model for each kind of fault, as it stands in a faults file.

Kinds that only one service has stand in its own `fault_kinds.py`.

Sources: salesforce.md, sections 2.1, 2.7, 2.8, 3 and 8; hubspot.md, sections 2.1 to 2.6 and 2.9; lookups.md.
What the documentation of a service leaves open is marked "unverified" where it is used.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

DAY_S = 86_400
Share = Annotated[float, Field(ge=0, le=1)]


class FaultModel(BaseModel):
    """Base of everything in a faults file: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Fault(FaultModel):
    """Base of the kinds: each has its name in a faults file, and a Service lists those that it can have."""

    kind: str = ""


class Interruption(Fault):
    """Base of the faults that replace the answer; where several are due at one request, the first in the file wins."""

    after_commit: bool = Field(False, description="Carry the request out first; only its answer is lost.")


class Refuse(Interruption):
    """An HTTP error with the body that the service gives for it.

    `code` and `message` replace the service's own words: errorCode (Salesforce), category or policyName (HubSpot), the
    number of the error (Twilio).
    """

    kind: Literal["refuse"]
    status: int = Field(ge=400, le=599)
    retry_after: int | None = Field(None, ge=0, le=DAY_S, description="Seconds, sent as Retry-After; none by default.")
    code: str | int | None = None
    message: str | None = None


class Html(Interruption):
    """A web page where JSON belongs, as a load balancer or a maintenance window sends it; also with a 200."""

    kind: Literal["html"]
    status: int = Field(503, ge=200, le=599)


class Empty(Interruption):
    """An answer without a body."""

    kind: Literal["empty"]
    status: int = Field(200, ge=200, le=599)


class Truncate(Fault):
    """The proper answer, cut: the body ends before its Content-Length, and the connection is closed.

    The request has been carried out. An answer that has no body is not sent at all.
    """

    kind: Literal["truncate"]
    kept: float = Field(0.5, ge=0, lt=1, description="Share of the body that is sent.")

    @property
    def after_commit(self) -> bool:
        """True: an answer can only be cut after the request was carried out."""
        return True


class Reset(Interruption):
    """The connection is reset without an answer."""

    kind: Literal["reset"]


class Hang(Interruption):
    """No answer, until the client gives up."""

    kind: Literal["hang"]


class Delay(Fault):
    """A late answer; the request is carried out when it comes in."""

    kind: Literal["delay"]
    ms: int = Field(ge=1, le=3_600_000)


class RecordFault(Fault):
    """Base of the changes that somebody else makes to records just before the request is handled.

    The records are `ids`, or `count` live ones drawn by the seed: among all of an `object`, or among those that the
    request names.
    """

    object: str | None = Field(None, description="Contact or contacts by default.")
    count: int = Field(1, ge=1)
    ids: tuple[str, ...] = ()
    among: Literal["all", "request"] = "all"


class EditFault(RecordFault):
    """Base of the faults that set values of records."""

    values: dict[str, str | bool | None] = Field(
        default_factory=dict, description="Field -> new value; by default the phone field gets an invented number."
    )


class EditRows(EditFault):
    """A person edits records, so that they leave the window that is being read, or change between read and write."""

    kind: Literal["edit_rows"]


class DeleteRows(RecordFault):
    """Records go to the recycle bin (HubSpot: are archived)."""

    kind: Literal["delete_rows"]


class MergeRows(RecordFault):
    """`count` times: one record is merged into another. In `ids` each winner stands before its loser."""

    kind: Literal["merge_rows"]
    loser_opted_out: bool = Field(False, description="The loser has opted out; the winner has not.")

    @field_validator("ids")
    @classmethod
    def _pairs(cls, ids: tuple[str, ...]) -> tuple[str, ...]:
        if len(ids) % 2:
            raise ValueError("ids of a merge come in pairs: winner, loser")
        return ids


class EqualStamps(RecordFault):
    """Records get one modification time, as a batch job of the CRM gives it to thousands of them."""

    kind: Literal["equal_stamps"]
    age_s: float = Field(0, ge=0, description="How long ago that moment is.")


class RefuseRows(Fault):
    """A rule of the CRM refuses some rows of a write, always the same ones; the other rows pass.

    HubSpot refuses the row or the whole batch, as `invalid_value` of its settings says.
    """

    kind: Literal["refuse_rows"]
    object: str | None = None
    fraction: Share = Field(1.0, description="Share of the rows, by a hash of seed and id.")
    ids: tuple[str, ...] = Field((), description="These rows instead of a share.")
    tries: int | None = Field(None, ge=1, description="The row passes after so many refusals; never by default.")
    code: str | None = Field(None, description="By default FIELD_CUSTOM_VALIDATION_EXCEPTION or INVALID_VALUE.")
    message: str = "Sandbox rule: this record may not be changed"


ANSWER_FAULTS = (Refuse, Html, Empty, Truncate, Reset, Hang, Delay)
"""What can happen to the answers of any service."""

RECORD_FAULTS = (EditRows, DeleteRows, MergeRows, EqualStamps, RefuseRows)
"""What can happen to the records of any CRM."""
