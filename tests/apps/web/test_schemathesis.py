"""Whatever is sent to any path: an answer that the description has, and no fault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ringfence.apps.settings import build_settings
from ringfence.apps.web.app import describe
from ringfence.apps.web.description import OpenApiVersion
from ringfence.apps.wiring import Wiring
from testkit.served import RunningService, running_service

EXAMPLES = 60
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OPERATIONS = sorted(
    (method.upper(), path)
    for path, item in describe(OpenApiVersion.V3_1, "http://127.0.0.1")["paths"].items()
    for method in item
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """Give a service that turns nobody away for calling often."""
    state: Path = tmp_path_factory.mktemp("served") / "state.db"
    wiring = Wiring(build_settings({"RINGFENCE_STATE_URL": f"sqlite:///{state}"}))
    with running_service(wiring, rate=1_000_000) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_an_operation_answers_as_described(service: RunningService, method: str, path: str) -> None:
    schema = schemathesis.openapi.from_dict(describe(OpenApiVersion.V3_1, service.url))
    operation = schema[path][method]
    token = {"Authorization": f"Bearer {service.tokens['admin']}"}

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(operation.as_strategy())
    def call(case: Any) -> None:
        case.call_and_validate(base_url=service.url, headers=token, checks=CHECKS, session=service.session)

    call()
