"""The lookup providers of the sandbox answer in the shapes of recordings and of API descriptions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ringfence.sandbox.clock import SandboxClock
from ringfence.sandbox.lookups.state import LookupAccounts
from ringfence.sandbox.lookups.truth import truth_of
from ringfence.sandbox.lookups.voice import Asked, Refused

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "traffic"
SPECS = Path(__file__).resolve().parents[2] / ".." / "shared" / "specs"
MOBILE, NOBODY = "+447400123456", "+19995550123"
INSIGHTS = ("format", "original_carrier", "current_carrier", "reachability")

recorded = pytest.mark.skipif(not SHARED.is_dir(), reason="the recordings lie beside the checkout, not in it")
described = pytest.mark.skipif(not SPECS.is_dir(), reason="the descriptions lie beside the checkout, not in it")


@pytest.fixture
def accounts() -> LookupAccounts:
    return LookupAccounts(clock=SandboxClock(), seed=7)


def answer(accounts: LookupAccounts, provider: str, e164: str, line: str = "active", body: Any = None) -> Any:
    """Return the body of what a provider of the sandbox answers about a number on such a line."""
    asked = Asked("POST", "", {}, {}, json.dumps(body or {}).encode(), accounts.keys[provider])
    truth = truth_of(e164, {"line": line if e164 == MOBILE else "unknown"})
    assert truth.valid is (e164 == MOBILE)
    return json.loads(bytes(accounts.voices[provider].answer(asked, [truth]).body))


def refusal(accounts: LookupAccounts, provider: str, why: Refused) -> Any:
    return json.loads(bytes(accounts.voices[provider].refuse(why).body))


def shape(value: Any) -> Any:
    """Return keys and kinds of values; what is null, or an object in one place and a text in another, has no kind."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    return None if value is None else type(value).__name__


def differences(ours: Any, theirs: Any, place: str = "") -> list[str]:
    """Return the places where two shapes are not the same; a value that is null fits every kind."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        lacking = [f"{place}.{name}" for name in ours.keys() ^ theirs.keys()]
        both = ours.keys() & theirs.keys()
        return [*lacking, *(each for name in both for each in differences(ours[name], theirs[name], f"{place}.{name}"))]
    return [] if ours == theirs or None in (ours, theirs) else [f"{place}: {ours} and {theirs}"]


@recorded
@pytest.mark.parametrize(("name", "e164"), [("valid", MOBILE), ("invalid", NOBODY)])
def test_numverify_answers_as_recorded(accounts: LookupAccounts, name: str, e164: str) -> None:
    theirs = json.loads((SHARED / "numverify" / "bodies.json").read_text("utf-8"))

    assert differences(shape(answer(accounts, "numverify", e164)), shape(theirs[name])) == []
    assert differences(shape(refusal(accounts, "numverify", "auth")), shape(theirs["error"])) == []


@recorded
@pytest.mark.parametrize("line", ["active", "unreachable", "unknown"])
def test_number_insight_answers_as_recorded(accounts: LookupAccounts, line: str) -> None:
    content = (SHARED / "vonage" / "vonage-dotnet-sdk.number-insight.json").read_text("utf-8")
    theirs = json.loads(content)
    # What it says of a person's name comes where it is asked for, and so does an IP address that we never send.
    told = theirs["Advanced_WithoutRoamingStatus-response.json"] | {"refund_price": "0.01500000"}
    del told["ip_warnings"]

    ours = answer(accounts, "vonage-number-insight", MOBILE, line)
    roaming = [each["roaming"] for each in theirs.values() if "roaming" in each]

    assert differences(shape(ours | {"roaming": None}), shape(told | {"roaming": None})) == []
    assert ours["roaming"] in roaming
    failed = theirs["Advanced_FailedRequest-response.json"]
    assert differences(shape(refusal(accounts, "vonage-number-insight", "auth")), shape(failed)) == []


@described
@pytest.mark.parametrize("e164", [MOBILE, NOBODY])
def test_telnyx_answers_as_described(accounts: LookupAccounts, e164: str) -> None:
    schemas = described_in("telnyx/telnyx-number-lookup.derived.openapi.json")
    parts = schemas["components"]["schemas"]

    ours = answer(accounts, "telnyx", e164)
    data = ours["data"]

    check(ours, schemas, "NumberLookupResponse")
    check(refusal(accounts, "telnyx", "auth"), schemas, "Errors")
    assert data.keys() <= parts["Data"]["properties"].keys()
    assert data["carrier"].keys() == parts["DataCarrier"]["properties"].keys()
    assert data["portability"].keys() == parts["DataPortability"]["properties"].keys()


@described
@pytest.mark.parametrize("e164", [MOBILE, NOBODY])
def test_identity_insights_answers_as_described(accounts: LookupAccounts, e164: str) -> None:
    schemas = described_in("vonage/vonage-identity-insights.derived.openapi.json")
    parts = schemas["components"]["schemas"]
    question = {"phone_number": e164[1:], "purpose": "x", "insights": {name: {} for name in INSIGHTS}}

    ours = answer(accounts, "vonage", e164, body=question)
    told = ours["insights"]

    check(ours, schemas, "IdentityInsightsResponse")
    check(refusal(accounts, "vonage", "auth"), schemas, "Problem")
    assert told.keys() == set(INSIGHTS)
    for name, part in (("format", "FormatInsightResponse"), ("current_carrier", "CarrierInsightResponse")):
        known = parts[part]["properties"].keys()
        assert told[name].keys() == known if e164 == MOBILE else told[name].keys() <= known


def described_in(name: str) -> dict[str, Any]:
    """Return an API description."""
    return dict(json.loads((SPECS / name).read_text("utf-8")))


def check(body: Any, description: dict[str, Any], schema: str) -> None:
    """Compare a body with one schema of a description. Raises ValidationError where it is another."""
    jsonschema.validate(body, {**description, "$ref": f"#/components/schemas/{schema}"})
