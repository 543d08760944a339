"""Signatures of HubSpot: vectors of its own libraries, what they cover, and for how long they count."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ringfence.connectors.hubspot.signatures import Finding, SignedRequest, called_uri, judge, sign_v2, sign_v3

VECTORS = Path(__file__).resolve().parents[3] / ".." / "shared" / "traffic" / "hubspot" / "signature-vectors.json"
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
SECRET = "s3cret"
REQUEST = SignedRequest("POST", "https://ringfence.example.com/hubspot/webhooks", b'[{"eventId":1}]')


def milliseconds(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1000))


def v3(request: SignedRequest = REQUEST, at: datetime = NOW, secret: str = SECRET) -> dict[str, str]:
    timestamp = milliseconds(at)
    return {
        "X-HubSpot-Signature-v3": sign_v3(request, timestamp, secret.encode()),
        "X-HubSpot-Request-Timestamp": timestamp,
    }


def v2(request: SignedRequest = REQUEST, secret: str = SECRET, version: str = "v2") -> dict[str, str]:
    return {"X-HubSpot-Signature": sign_v2(request, secret.encode()), "X-HubSpot-Signature-Version": version}


@pytest.mark.skipif(not VECTORS.exists(), reason="the vectors lie beside the checkout, not in it")
def test_vectors_of_hubspots_own_libraries() -> None:
    document = json.loads(VECTORS.read_text("utf-8"))
    secrets = [document["client_secret"]]
    seen = []

    for vector in document["vectors"]:
        if vector["version"] == "v1":
            request = SignedRequest("POST", "https://www.example.com/webhook_uri", vector["body"].encode())
            headers = {"X-HubSpot-Signature": vector["signature"], "X-HubSpot-Signature-Version": "v1"}
            assert judge(request, headers, secrets, NOW) is Finding.REFUSED_VERSION
            continue
        request = SignedRequest(vector["method"], vector["uri"], vector["body"].encode())
        if vector["version"] == "v2":
            headers = {"X-HubSpot-Signature": vector["signature"], "X-HubSpot-Signature-Version": "v2"}
            moment = NOW
        else:
            timestamp = str(vector["timestamp"])
            headers = {"X-HubSpot-Signature-v3": vector["signature"], "X-HubSpot-Request-Timestamp": timestamp}
            moment = datetime.fromtimestamp(vector["timestamp"] / 1000, UTC)
        assert judge(request, headers, secrets, moment) == vector["version"]
        assert judge(request, headers, ["another"], moment) is Finding.WRONG
        seen.append(vector["version"])

    assert {"v2", "v3"} <= set(seen)


def test_what_is_signed_is_method_address_body_and_time() -> None:
    assert judge(REQUEST, v3(), [SECRET], NOW) is Finding.V3
    assert judge(REQUEST, v2(), [SECRET], NOW) is Finding.V2

    others = (
        SignedRequest("PUT", REQUEST.uri, REQUEST.body),
        SignedRequest("POST", REQUEST.uri + "?a=b", REQUEST.body),
        SignedRequest("POST", REQUEST.uri.replace("https", "http"), REQUEST.body),
        SignedRequest("POST", REQUEST.uri, REQUEST.body + b" "),
    )
    for other in others:
        assert judge(other, v3(), [SECRET], NOW) is Finding.WRONG
        assert judge(other, v2(), [SECRET], NOW) is Finding.WRONG

    later = {**v3(), "X-HubSpot-Request-Timestamp": milliseconds(NOW + timedelta(seconds=1))}
    assert judge(REQUEST, later, [SECRET], NOW) is Finding.WRONG


@pytest.mark.parametrize(
    ("away_s", "finding"),
    [(0, Finding.V3), (-299, Finding.V3), (299, Finding.V3), (-301, Finding.STALE), (301, Finding.STALE)],
)
def test_a_time_counts_for_five_minutes_on_both_sides(away_s: int, finding: Finding) -> None:
    assert judge(REQUEST, v3(at=NOW + timedelta(seconds=away_s)), [SECRET], NOW) is finding


@pytest.mark.parametrize("timestamp", [None, "", "soon", "-1", "1e12", "99999999999999999999", "١٢٣"])
def test_a_time_that_cannot_be_read_is_stale(timestamp: str | None) -> None:
    headers = v3()
    del headers["X-HubSpot-Request-Timestamp"]
    if timestamp is not None:
        headers["X-HubSpot-Request-Timestamp"] = timestamp

    assert judge(REQUEST, headers, [SECRET], NOW) is Finding.STALE


def test_a_wrong_v3_is_not_made_good_by_a_right_v2() -> None:
    assert judge(REQUEST, {**v2(), **v3(secret="another")}, [SECRET], NOW) is Finding.WRONG


@pytest.mark.parametrize("version", ["v1", "v4"])
def test_every_other_version_is_refused(version: str) -> None:
    assert judge(REQUEST, v2(version=version), [SECRET], NOW) is Finding.REFUSED_VERSION


def test_without_signature_and_without_secret() -> None:
    assert judge(REQUEST, {}, [SECRET], NOW) is Finding.MISSING
    assert judge(REQUEST, v3(), [], NOW) is Finding.NO_SECRET
    assert judge(REQUEST, v3(secret=""), [""], NOW) is Finding.NO_SECRET
    assert judge(REQUEST, {**v3(), "X-HubSpot-Signature-v3": "é"}, [SECRET], NOW) is Finding.WRONG


def test_any_of_several_secrets_counts() -> None:
    assert judge(REQUEST, v3(), ["another", SECRET], NOW) is Finding.V3


def test_the_documented_escapes_are_decoded_and_no_others() -> None:
    escaped = SignedRequest("POST", "https://x.example/a%3Ab%2Fc?q=%40%21%24%27%28%29%2A%2C%3B%20%26%3d%3f", b"")
    decoded = SignedRequest("POST", "https://x.example/a:b/c?q=@!$'()*,;%20%26%3d?", b"")

    assert sign_v3(escaped, "1", b"k") == sign_v3(decoded, "1", b"k")
    assert sign_v2(escaped, b"k") != sign_v2(decoded, b"k")


def test_the_address_is_the_configured_one_with_the_path_as_it_came() -> None:
    assert called_uri("https://x.example/", "/hubspot/webhooks", "") == "https://x.example/hubspot/webhooks"
    assert called_uri("https://x.example/rf", "/a%20b", "c=d") == "https://x.example/rf/a%20b?c=d"


def test_without_a_version_it_is_judged_as_v2() -> None:
    assert judge(REQUEST, v2(version=""), [SECRET], NOW) is Finding.V2
    assert judge(REQUEST, {"X-HubSpot-Signature": "0" * 64}, [SECRET], NOW) is Finding.WRONG


def test_a_time_beyond_every_clock_is_stale() -> None:
    headers = {"X-HubSpot-Signature-v3": "x", "X-HubSpot-Request-Timestamp": "9" * 15}
    assert judge(REQUEST, headers, [SECRET], NOW) is Finding.STALE
