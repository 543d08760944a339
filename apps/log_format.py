"""How log lines look."""

from __future__ import annotations

from enum import StrEnum

LOG = "RINGFENCE_LOG"
"""The setting that says so."""


class LogFormat(StrEnum):
    """How log lines look."""

    TEXT = "text"
    JSON = "json"
