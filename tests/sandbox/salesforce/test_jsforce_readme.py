"""The walk through jsforce's documentation, where Node.js and the package are: NODE_PATH names the folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import Api

SCRIPT = Path(__file__).parent / "javascript" / "jsforce_readme.mjs"
NODE = shutil.which("node")
MODULES = Path(os.environ.get("NODE_PATH", "node_modules"))


@pytest.mark.slow
@pytest.mark.skipif(NODE is None, reason="Node.js is not installed")
@pytest.mark.skipif(not (MODULES / "jsforce").is_dir(), reason="jsforce is not in NODE_PATH")
def test_jsforce_is_answered_as_by_the_service(api: Api) -> None:
    metadata = {"type": "Text", "label": "Customer No", "length": 40, "externalId": True, "unique": True}
    api("POST", "/tooling/sobjects/CustomField", json={"FullName": "Contact.Customer_No__c", "Metadata": metadata})
    api.org.profile["Contact", "Customer_No__c"] = (True, True)
    api.org.forget_access()
    env = {"PATH": os.environ["PATH"], "SF_URL": api.root, "SF_TOKEN": api.org.access_token}
    env["JSFORCE_FROM"] = str((MODULES / "jsforce" / "package.json").resolve())

    done = subprocess.run([str(NODE), str(SCRIPT)], env=env, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "identity": [api.org.username, 18],
        "query": [4, True, "Acme"],
        "find": 0,
        "create": True,
        "retrieve": "Script",
        "update": True,
        "createMany": [True, True],
        "destroy": True,
        "upsert": True,
        "search": 5,
        "describe": True,
        "describeGlobal": True,
        "layouts": 1,
        "limits": 100_000,
        "bulkQuery": 7,
        "bulkInsert": 2,
    }
