"""Prism, a server that answers as an OpenAPI description says; it runs on Node.js and checks what it is asked.

It is no part of the locked requirements: `.ci/run` installs it where Node.js is, and NODE_PATH names the folder.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import requests
import yaml

from .provider_server import Answering, Sent

NODE = shutil.which("node")
COMMAND = Path(os.environ.get("NODE_PATH", "node_modules")) / "@stoplight" / "prism-cli" / "dist" / "index.js"
IS_HERE = NODE is not None and COMMAND.is_file()
WHY_NOT = "Node.js, or @stoplight/prism-cli in NODE_PATH, is not here; .ci/run installs the latter"

START_S = 90
"""How long a start may take. It is two to four seconds of work, which a machine with other work draws out."""

_LISTENS = re.compile(r"listening on (http://127\.0\.0\.1:\d+)")


@contextmanager
def served(description: Path, folder: Path) -> Iterator[str]:
    """Serve a description on loopback and give the address; what Prism prints is kept in the folder. A context.

    Raises AssertionError with what it printed where it does not start.
    """
    printed = folder / f"{description.name}.log"
    command = [str(NODE), str(COMMAND.resolve()), "mock", "--host", "127.0.0.1", "--port", "0", str(description)]
    with printed.open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield _await_address(process, printed)
    finally:
        process.kill()  # it has nothing to put away
        process.wait()


def go_between(
    url: str, description: Path, headers: Callable[[], Mapping[str, str]], query: str = "", *, keyless: bool = False
) -> Answering:
    """Return what passes each question on to Prism at the URL, and its answer back.

    It stands between because Prism wants things that no provider does, and no provider module should know of: headers
    that choose one of the examples, and a path without that of the description's server. ``query`` is added to the
    question; ``keyless`` takes its credentials away.
    """
    document = yaml.safe_load(description.read_text(encoding="utf-8"))
    root = urlsplit(document["servers"][0]["url"]).path
    left_out = {"host", "content-length", *(["authorization"] if keyless else [])}

    def pass_on(sent: Sent) -> tuple[int, str, dict[str, str]]:
        path = sent.path.removeprefix(root) + (f"&{query}" if query and not keyless else "")
        asked = {name: value for name, value in sent.headers.items() if name.lower() not in left_out}
        reply = requests.request(sent.method, url + path, headers={**asked, **headers()}, data=sent.body, timeout=30)
        return reply.status_code, reply.text, {"Content-Type": reply.headers["Content-Type"]}

    return pass_on


def _await_address(process: subprocess.Popen[bytes], printed: Path) -> str:
    """Return the address that Prism says it listens on."""
    ends = time.monotonic() + START_S
    while time.monotonic() < ends and process.poll() is None:
        if listens := _LISTENS.search(printed.read_text(encoding="utf-8")):
            return listens[1]
        time.sleep(0.1)
    raise AssertionError(f"Prism did not start:\n{printed.read_text(encoding='utf-8')}")
