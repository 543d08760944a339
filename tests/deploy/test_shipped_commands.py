"""The commands that docs/operations.md shows are there, and what looks for commands sees one that is not."""

from __future__ import annotations

import re
import shlex

import pytest
import yaml

from ringfence.core.config.schedule import Schedule

from .exit_code_table import DEPLOY, ROOT
from .manifests import manifests
from .shipped_commands import refuse_unknown

PLACEHOLDERS = {"CRM": "salesforce", "N": "2", "ID": "1", "RUN": "1", "URL": "sqlite:///other.db"}


def documented() -> list[str]:
    """Return what stands behind `ringfence` wherever docs/operations.md shows a command."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    quoted = re.findall(r"`ringfence ([^`]+)`", text)
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    shown = [
        found for block in blocks for found in re.findall(r"[ /]ringfence ((?:sync|check|runs)\b[^|>&\n]*)", block)
    ]
    return sorted({" ".join(each.split()) for each in (*quoted, *shown)})


def test_schedules_that_ship_can_be_read() -> None:
    (mounted,) = [each["data"]["schedule.yaml"] for each in manifests() if each["kind"] == "ConfigMap"]
    example = (DEPLOY / "schedule.yaml").read_text(encoding="utf-8")

    for text in (example, mounted):
        for job in Schedule.model_validate(yaml.safe_load(text)).jobs:
            refuse_unknown(shlex.split(job.run))


def test_commands_and_options_that_are_not_there_are_seen() -> None:
    refuse_unknown(["sync", "--all", "--yes"])
    refuse_unknown(["runs", "list"])

    with pytest.raises(AssertionError, match="there is no command begin"):
        refuse_unknown(["begin"])
    with pytest.raises(Exception, match="--confrim"):
        refuse_unknown(["sync", "--confrim"])


@pytest.mark.parametrize("line", documented(), ids=str)
def test_commands_of_the_operations_page_are_there(line: str) -> None:
    words = shlex.split(line)

    refuse_unknown([PLACEHOLDERS.get(word, word) for word in words])
