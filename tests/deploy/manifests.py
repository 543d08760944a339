"""The Kubernetes objects that ship as examples."""

from __future__ import annotations

from typing import Any

import yaml

from .exit_code_table import DEPLOY

FILES = sorted((DEPLOY / "kubernetes").glob("*.yaml"))


def manifests() -> list[dict[str, Any]]:
    """Return every object of every file."""
    return [each for file in FILES for each in yaml.safe_load_all(file.read_text(encoding="utf-8"))]


def pods() -> dict[str, dict[str, Any]]:
    """Return the specification of each pod by the name of what makes it."""
    made = {}
    for each in manifests():
        if each["kind"] == "CronJob":
            made[each["metadata"]["name"]] = each["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        elif each["kind"] == "Deployment":
            made[each["metadata"]["name"]] = each["spec"]["template"]["spec"]
    return made
