"""A wrong address is kept apart from an outage."""

from __future__ import annotations

import socket

import pytest
import requests

from ringfence.connectors.http.first_contact import FirstContact, never_connected
from ringfence.core.errors import RetryError, UnreachableError


def test_a_host_that_never_answered_is_named_with_the_remedy() -> None:
    contact = FirstContact("Check the address.")
    contact.note_answer("other.example")

    error = contact.judge("crm.example", RetryError("no connection"))

    assert isinstance(error, UnreachableError)
    assert str(error) == "crm.example cannot be reached. Check the address."


def test_a_host_that_has_answered_is_tried_again() -> None:
    contact, fault = FirstContact("Check the address."), RetryError("no connection")
    contact.note_answer("crm.example")

    assert contact.judge("crm.example", fault) is fault


def test_a_port_that_nobody_listens_on_was_never_connected() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with pytest.raises(requests.ConnectionError) as caught:
        requests.get(f"http://127.0.0.1:{port}", timeout=1)

    assert never_connected(caught.value)
    assert never_connected(requests.ConnectTimeout())
    assert not never_connected(requests.ConnectionError("Connection aborted."))
