"""Where the service listens, and for whom."""

from __future__ import annotations

from contextlib import closing

import pytest

from ringfence.apps.web.listening import is_loopback, listen, refuse_unguarded
from ringfence.apps.wiring import Wiring
from ringfence.core.errors import UsageError
from ringfence.core.model.roles import Role
from ringfence.core.state.tokens import add_token, revoke_token


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "::ffff:127.0.0.1"])
def test_loopback_is_this_machine_alone(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "10.0.0.1", "ringfence.example.com", "", "127.0.0.1.example.com", "::ffff:10.0.0.1"]
)
def test_everything_else_is_reached_by_others(host: str) -> None:
    assert not is_loopback(host)


def test_others_need_a_token(wiring: Wiring) -> None:
    with closing(wiring.open_state()) as store:
        refuse_unguarded(store, "127.0.0.1")
        with pytest.raises(UsageError, match="no token") as refused:
            refuse_unguarded(store, "0.0.0.0")
        assert "ringfence tokens add" in refused.value.remedy

        with store.transaction() as connection:
            add_token(connection, "first", Role.VIEWER, "test", wiring.clock.now())
        refuse_unguarded(store, "0.0.0.0")
        with store.transaction() as connection:
            revoke_token(connection, "first")


def test_a_port_that_is_taken_is_told() -> None:
    with closing(listen("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"Port {port} of 127.0.0.1 is taken"):
            listen("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
def test_an_address_of_another_machine_is_told(host: str) -> None:
    with pytest.raises(UsageError) as refused:
        listen(host, 0)
    assert "--host" in refused.value.remedy


@pytest.mark.parametrize("port", [-1, 65_536, 99_999])
def test_a_port_that_there_is_none_of_is_not_taken_for_another_one(port: int) -> None:
    with pytest.raises(UsageError, match=f"There is no port {port}"):
        listen("127.0.0.1", port)
