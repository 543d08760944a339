"""Serving the application, and working its jobs off, until the process is asked to end."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import replace

import uvicorn

from ..operations import Door
from ..wiring import Wiring
from .app import make_app
from .service import Service


def serve_until_ended(wiring: Wiring, door: Door, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises the errors of the wiring."""
    with closing(wiring.open_state()) as store:
        service = Service(wiring, store, wiring.open_jobs(store), replace(door, unattended=True))
        server = uvicorn.Server(uvicorn.Config(make_app(service), host=host, port=port, log_config=None))
        # uvicorn would take the signals of the process itself; here that is the command line's.
        thread = threading.Thread(target=server.run, name="serve")
        thread.start()
        while not door.must_end() and thread.is_alive():
            thread.join(0.2)
        server.should_exit = True
        thread.join()
