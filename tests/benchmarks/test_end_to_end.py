"""The end-to-end benchmark works: with few rows, because here its output counts and not its figures."""

from __future__ import annotations

import http.server
import importlib.util
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import requests

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def load(name: str) -> ModuleType:
    """Return a module of the benchmarks, which are no package."""
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize(("crm", "batch"), [("salesforce", 200), ("hubspot", 100)])
def test_a_small_run_prints_a_line_for_everything_measured(crm: str, batch: int) -> None:
    command = [sys.executable, str(BENCHMARKS / "end_to_end.py"), "--crm", crm, "--records", "300", "--sample", "20"]
    done = subprocess.run([*command, "--latency", "1"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr

    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")][1:]
    lines = {row[0]: [cell.strip() for cell in row[1:]] for row in rows}
    one, many = "plain script, one update a row (from 2)", f"plain script, {batch} rows a call"

    assert list(lines) == ["first sync", "run after", "idle run", one, many]

    read, written = lines["first sync"][:2]
    assert read == "300"
    assert 250 < int(written) <= 300
    assert lines["run after"][:2] == [written, "0"]
    assert lines["idle run"][:2] == ["0", "0"]
    assert abs(int(lines[many][1]) - int(written)) <= 5
    assert lines[one][1].startswith("~")
    assert f"times the {many}" in done.stdout


def test_an_unknown_crm_is_refused() -> None:
    command = [sys.executable, str(BENCHMARKS / "end_to_end.py"), "--crm", "pipedrive"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no such CRM: pipedrive" in done.stderr


class _Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"{self.path} for {self.headers['Host']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


def test_the_gate_leads_a_fixed_https_host_to_loopback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    behind = f"http://127.0.0.1:{server.server_address[1]}"

    try:
        with load("tls_gate").TlsGate(behind, tmp_path, {"/oauth/token": {"access_token": "t"}}) as gate:
            for name in ("HTTPS_PROXY", "REQUESTS_CA_BUNDLE"):
                monkeypatch.setenv(name, gate.settings[name])
            for name in [name for name in os.environ if name.lower() == "no_proxy"]:
                monkeypatch.delenv(name)
            token = requests.post("https://login.salesforce.com/oauth/token", timeout=10)
            assert token.json() == {"access_token": "t"}
            with requests.Session() as session:
                for path in ("/one", "/two"):
                    answer = session.get(f"https://api.hubapi.com{path}", timeout=10)
                    assert answer.text == f"{path} for api.hubapi.com"
    finally:
        server.shutdown()
        server.server_close()
