"""What callers send and get about numbers: every name is an identifier in Apex, and what is left out is empty."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

MOST_SIGNS = 100
"""Characters of a number at most."""

MOST_NUMBERS = 100
"""Numbers of one question at most."""

LONGEST_WAIT_S = 25
"""How long a caller may wait for lookups, in seconds (docs/contract.md, section 5)."""

_MOST_NAME = 200
_MOST_REASON = 2000


Text = Annotated[str, Field(max_length=_MOST_NAME)]
"""A text that may be left out or empty, which is the same."""

Number = Annotated[str, Field(max_length=MOST_SIGNS, description="The number as it was typed")]
Region = Annotated[
    str, Field(max_length=_MOST_NAME, description="The country of a national number: its ISO code or a name")
]
ChannelName = Annotated[Literal["", "voice", "sms", "all"], Field(description="The way of contact asked about")]


class Body(BaseModel):
    """A body: nothing is converted, and what is not known is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _leave_out_null(cls, value: Any) -> Any:
        """Take null for what was left out: some callers send all that they might have said.

        The description has one type for each name all the same, as External Services want it.
        """
        if not isinstance(value, dict):
            return value
        return {name: each for name, each in value.items() if each is not None or not _may_be_left_out(cls, name)}


def _may_be_left_out(body: type[BaseModel], name: str) -> bool:
    field = body.model_fields.get(name)
    return field is not None and not field.is_required()


class CheckQuestion(Body):
    """A number to check from what is known."""

    number: Number
    region: Region = ""
    channel: ChannelName = ""
    purpose: Annotated[Text, Field(description="What it is for; nothing is callable that no consent covers")] = ""
    queue: Annotated[bool, Field(description="Whether a paid check is to follow, where it tells more")] = False


class ScreenQuestion(Body):
    """One number or several to screen, for which lookups may be bought within the caps."""

    number: Annotated[str, Field(max_length=MOST_SIGNS, description="One number")] = ""
    numbers: Annotated[list[Number], Field(max_length=MOST_NUMBERS, description="Or several")] = []
    region: Region = ""
    wait_s: Annotated[
        float, Field(ge=0, le=LONGEST_WAIT_S, description="For how many seconds the answer may be waited for")
    ] = 10


class SuppressionQuestion(Body):
    """A number of which is asked whether it may be contacted."""

    number: Number
    channel: ChannelName = ""
    region: Region = ""


class SuppressionWish(Body):
    """A number that nobody may contact from now on."""

    number: Number
    reason: Annotated[str, Field(min_length=1, max_length=_MOST_REASON, description="Why, for whoever asks later")]
    kind: Literal["dnc_internal", "opted_out", "wrong_person", "complaint", "litigator", "dnc_registry"] = (
        "dnc_internal"
    )
    channel: Literal["voice", "sms", "all"] = "all"
    region: Region = ""
    expires: Annotated[Text, Field(description="The last day that it blocks, YYYY-MM-DD in UTC; empty: for good")] = ""
    record: Annotated[Text, Field(description="With wrong_person: CRM:OBJECT:ID")] = ""


class CheckAnswer(BaseModel):
    """What is known of a number. A token of the role form gets no suppressed, channels and last_screened."""

    number: str | None = Field(description="E.164; null where the text is no certain number")
    status: str
    callable: bool
    reason: str
    line_type: str
    suppressed: bool = Field(False, description="Also true where nobody can tell")
    channels: list[str] = Field([], description="The ways of contact that are blocked")
    last_screened: str | None = Field(None, description="The time of the evidence, UTC; null where only rules spoke")
    fresh: bool = Field(description="Whether a screening now would say the same")
    suggestion: str | None = Field(description="A likely correction in E.164; null where there is not exactly one")
    queued: bool = Field(description="Whether a paid check is to follow")


class ScreenAnswer(BaseModel):
    """The answers in the order of the question."""

    results: list[CheckAnswer]


class SuppressionEntry(BaseModel):
    """An entry of the ledger; its number is masked."""

    id: int
    number: str
    kind: str
    channel: str
    source: str
    reason: str
    author: str
    since: str
    expires: str | None
    record: str | None = None


class SuppressionAdded(BaseModel):
    """What became of a wish."""

    entry: SuppressionEntry
    new: bool = Field(description="False where the ledger had it already")


class SuppressionBlock(BaseModel):
    """One thing that keeps a number silent."""

    kind: str
    channel: str
    source: str
    since: str | None
    expires: str | None
    deadline: str | None = Field(None, description="The last day for honouring it by the law of the number's country")
    crm: str | None = None
    list: str | None = None


class SuppressionAnswer(BaseModel):
    """What keeps a number silent; the number is masked."""

    number: str
    suppressed: bool
    channels: list[str]
    entries: list[SuppressionBlock]
    expired_lists: list[str]
