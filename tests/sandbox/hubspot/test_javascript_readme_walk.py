"""The walk through HubSpot's JavaScript client, where Node.js and the package are: NODE_PATH names the folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ringfence.sandbox.server import Sandbox

SCRIPT = Path(__file__).parent / "javascript" / "api_client_readme.mjs"
NODE = shutil.which("node")
PACKAGE = Path(os.environ.get("NODE_PATH", "node_modules")) / "@hubspot" / "api-client"


@pytest.mark.slow
@pytest.mark.skipif(NODE is None, reason="Node.js is not installed")
@pytest.mark.skipif(not PACKAGE.is_dir(), reason="@hubspot/api-client is not in NODE_PATH")
def test_the_javascript_client_is_answered_as_by_the_service() -> None:
    with Sandbox(contacts=30) as sandbox:
        env = {"PATH": os.environ["PATH"], "HUBSPOT_URL": sandbox.hubspot_url}
        env["HUBSPOT_TOKEN"] = sandbox.hubspot.access_token
        env["HUBSPOT_FROM"] = str((PACKAGE / "package.json").resolve())

        done = subprocess.run(
            [str(NODE), str(SCRIPT)], env=env, capture_output=True, text=True, timeout=60, check=False
        )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "create": "Java",
        "read": "Script",
        "page": 5,
        "all": 31,
        "batch": "COMPLETE",
        "search": True,
        "unwrapped": 200,
        "missing": 404,
        "properties": True,
        "archived": 404,
    }
