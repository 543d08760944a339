"""Stores that earlier versions wrote, and the CRM that each of them knew, kept under ``tests/core/stores``."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ringfence.connectors.memory import MemoryCrm

from .clock import SetClock
from .memory_runs import make_crm

KEY = base64.b64encode(b"a known key, for this test alone").decode()


def number(last: int) -> str:
    """Return the E.164 number of the kept records that ends in these two digits."""
    return f"+141555501{last}"


def restore_crm(folder: Path, mapping: str, clock: SetClock) -> MemoryCrm:
    """Return the CRM as it is kept beside a store; the clock shows an hour after the last run."""
    kept = json.loads((folder / "crm.json").read_text(encoding="utf-8"))
    crm = make_crm(clock, mapping)

    crm.rows = {
        name: {id_: {field: _value(held) for field, held in row.items()} for id_, row in rows.items()}
        for name, rows in kept["rows"].items()
    }
    crm.modified = {(name, id_): datetime.fromisoformat(stamp) for name, id_, stamp in kept["modified"]}
    crm.survivors = {(name, loser): winner for name, loser, winner in kept.get("survivors", ())}

    clock.time = datetime.fromisoformat(kept["at"]) + timedelta(hours=1)
    return crm


def _value(held: Any) -> Any:
    return datetime.fromisoformat(held["moment"]) if isinstance(held, dict) else held
