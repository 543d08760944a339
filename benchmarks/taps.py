"""Reading only: the Singer taps of singer-io, as installed from PyPI into an environment of their own.

Their hosts are fixed (``https://login.salesforce.com``, ``https://api.hubapi.com``), so they come through tls_gate.py:
tap-salesforce for its log-in alone, because the log-in's answer names where the data is, tap-hubspot for every call.
The gate gives the log-in's answer, and says that there are no custom objects, which tap-hubspot insists on asking.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from children import Figures, measure
from loopback import Loopback
from tls_gate import TlsGate

STREAMS = {
    "salesforce": ("Contact", ("Id", "Phone", "MobilePhone", "MailingCountry", "DoNotCall", "SystemModstamp"), ""),
    "hubspot": ("contacts", ("phone", "mobilephone", "country", "rf_do_not_call"), "property_"),
}
"""The stream, its fields that the plain scripts read too, and what the tap puts before a field's name."""

KEYS = {"salesforce": ("Id", "SystemModstamp"), "hubspot": ("id", "updatedAt")}


def run_tap(sandbox: Loopback, crm: str, tap: Path) -> Figures:
    """Read all contacts with ``tap-salesforce`` (its REST mode) or ``tap-hubspot``; the rows go to a file."""
    prefix = f"RINGFENCE_{crm.upper()}__"
    settings = {name.removeprefix(prefix): value for name, value in sandbox.settings.items()}
    url = settings.get("INSTANCE_URL") or settings["BASE_URL"]
    answers = {
        "/services/oauth2/token": {"access_token": settings["ACCESS_TOKEN"], "instance_url": url},
        "/crm/v3/schemas": {"results": []},
    }

    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        folder = Path(name)
        config = folder / "config.json"
        config.write_text(json.dumps(_config(settings["ACCESS_TOKEN"])), encoding="utf-8")
        catalog = folder / "catalog.json"
        catalog.write_text(json.dumps({"streams": [_stream(crm)]}), encoding="utf-8")
        command = [str(tap), "--config", str(config), "--properties", str(catalog)]
        with TlsGate(url, folder, answers) as gate:
            cost = measure(command, gate.settings, sandbox, output, folder)
        rows = sum('"type": "RECORD"' in line or '"type":"RECORD"' in line for line in output)

    return Figures(f"{tap.name}, reading only", rows, 0, cost.seconds, cost, cost.calls)


def _config(token: str) -> dict[str, str]:
    return {
        "start_date": "2000-01-01T00:00:00Z",
        "api_type": "REST",
        "select_fields_by_default": "false",
        "client_id": "loopback",
        "client_secret": "loopback",
        "refresh_token": "loopback",
        "api_key": token,
    }


def _stream(crm: str) -> dict[str, Any]:
    stream, fields, prefix = STREAMS[crm]
    key, stamp = KEYS[crm]
    keys = {"table-key-properties": [key], "replication-key": stamp, "replication-method": "INCREMENTAL"}
    names = [f"{prefix}{field}" for field in fields]
    chosen = [{"breadcrumb": ["properties", name], "metadata": {"selected": True}} for name in names]
    return {
        "stream": stream,
        "tap_stream_id": stream,
        "schema": {"type": "object", "properties": {name: {"type": ["null", "string", "boolean"]} for name in names}},
        "metadata": [{"breadcrumb": [], "metadata": {"selected": True, **keys}}, *chosen],
    }
