"""Which account a portal is: found out without holding up who is known already."""

from __future__ import annotations

import socket
import threading
from contextlib import closing
from pathlib import Path

import pytest

from ringfence.apps.operations import portals
from ringfence.apps.operations.portals import Portals
from ringfence.apps.settings import build_settings
from ringfence.apps.wiring import Wiring
from ringfence.core.errors import StoppedError
from testkit.jobs import wait_until


def test_an_account_that_does_not_answer_holds_up_one_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portals, "AT_MOST_S", 0.05)
    failed: list[StoppedError] = []

    def ask() -> None:
        try:
            found.find("4242")
        except StoppedError as error:
            failed.append(error)

    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        settings = {
            "RINGFENCE_STATE_URL": f"sqlite:///{tmp_path}/state.db",
            "RINGFENCE_HUBSPOT__ACCESS_TOKEN": "token",
            "RINGFENCE_HUBSPOT__BASE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "RINGFENCE_HUBSPOT__CLIENT_SECRET": "secret",
        }
        wiring = Wiring(build_settings(settings))
        with closing(wiring.open_state()) as store:
            found = Portals(wiring, store)
            asking = threading.Thread(target=ask)
            asking.start()
            called, _ = silent.accept()

            assert found.secrets() == ["secret"]
            with pytest.raises(StoppedError, match="still being asked"):
                found.find("4242")
            assert not failed

            called.close()
            silent.close()
            wait_until(lambda: bool(failed))
            asking.join(10)
    assert not asking.is_alive()
