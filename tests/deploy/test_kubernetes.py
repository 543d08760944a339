"""The Kubernetes examples fit the API's own schemas, and start what is there under little trust."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ringfence.apps.web.app import ROUTERS

from .exit_code_table import ROOT
from .manifests import FILES, manifests, pods
from .shipped_commands import refuse_unknown

RELEASES = ("1.31", "1.37")
"""The oldest release whose jobs have a policy about exit codes for good, and the newest whose schemas are at hand."""


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_examples_fit_the_schemas_of_the_api(file: Path, release: str) -> None:
    validate = pytest.importorskip(
        "kubernetes_validate", reason="kubernetes-validate (requirements/deploy.txt) is not installed"
    )

    for each in yaml.safe_load_all(file.read_text(encoding="utf-8")):
        validate.validate(each, release, strict=True)


def test_the_schemas_would_name_a_wrong_key() -> None:
    validate = pytest.importorskip(
        "kubernetes_validate", reason="kubernetes-validate (requirements/deploy.txt) is not installed"
    )
    wrong = next(each for each in manifests() if each["kind"] == "CronJob")
    wrong["spec"]["jobTemplate"]["spec"]["backOffLimit"] = 4

    with pytest.raises(validate.ValidationError, match="backOffLimit"):
        validate.validate(wrong, RELEASES[0], strict=True)


@pytest.mark.parametrize("pod", pods().values(), ids=list(pods()))
def test_pods_start_commands_that_are_there_and_are_trusted_with_little(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]

    refuse_unknown(container["args"])

    assert pod["securityContext"]["runAsNonRoot"]
    assert f"USER {pod['securityContext']['runAsUser']}:" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not pod.get("hostNetwork")  # by host name and process a run is known to be at work
    assert pod["enableServiceLinks"] is False  # a Service called ringfence would bring RINGFENCE_SERVICE_HOST
    assert pod["terminationGracePeriodSeconds"] > 30


def test_probes_look_at_the_file_that_the_command_renews() -> None:
    for name in ("ringfence-worker", "ringfence-schedule"):
        (container,) = pods()[name]["containers"]
        file = container["args"][container["args"].index("--health-file") + 1]
        for probe in ("startupProbe", "livenessProbe"):
            assert file in container[probe]["exec"]["command"][-1]
        assert any(file.startswith(mount["mountPath"] + "/") for mount in container["volumeMounts"])


def test_the_service_is_asked_for_its_health_and_has_time_to_leave() -> None:
    pod = pods()["ringfence-serve"]
    (container,) = pod["containers"]
    paths = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}

    assert paths == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    assert set(paths.values()) <= {route.path for router in ROUTERS for route in router.routes}
    port = container["args"][container["args"].index("--port") + 1]
    assert container["ports"] == [{"name": "http", "containerPort": int(port)}]
    leaves_after_s = int(container["lifecycle"]["preStop"]["exec"]["command"][-1])
    assert pod["terminationGracePeriodSeconds"] > leaves_after_s + 30


def test_examples_hold_no_secret() -> None:
    for secret in (each for each in manifests() if each["kind"] == "Secret"):
        for value in secret["stringData"].values():
            assert not value or "PASSWORD" in value or "REPLACE" in value
