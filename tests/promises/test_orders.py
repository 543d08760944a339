"""No paid lookup twice, from a provider that answers later: an order survives the run that placed it."""

from __future__ import annotations

import itertools
import json
import signal
import time
from collections import Counter
from collections.abc import Callable

import pytest

from testkit.account import Account, Watched
from testkit.commands import Result

pytestmark = pytest.mark.slow

ORDER, FIRST_LOOK, PLACE, FILE = 1, 2, 4, 5
"""Requests to the provider as they come: the order itself, the first look whether it is answered, and behind the second
one, where answers are a file, the question where that lies, and the file."""


@pytest.fixture
def people() -> int:
    """Give more American numbers than fit into a call that is answered at once."""
    return 480


@pytest.fixture(params=["bandwidth", "clearoutphone"])
def ordering(request: pytest.FixtureRequest, asking: Callable[..., Account]) -> tuple[Account, Watched]:
    """Give an account that asks a provider which takes orders, and the requests that come in there."""
    account = asking(request.param)
    watched = Watched()
    account.sandbox.lookups.requests = watched
    return account, watched


BOOKED_WITHIN_S = 0.3
"""Longer than the provider takes between the numbers of a file."""


def killed_at(account: Account, watched: Watched, request: int) -> None:
    """Kill a sync as that request comes in, which the provider still carries out."""
    counted = itertools.count(1)
    assert account.killed(watched, lambda _name: next(counted) == request, "sync", account.crm, "--json")


def finish(account: Account) -> Result:
    """Run a sync to its end."""
    result = account.finish(account.start("sync", account.crm, "--json"))
    assert result.code == 0, result.err
    return result


def billed(account: Account) -> Counter[str]:
    """Return how often each number was billed, once the provider has carried out what it was sent."""
    (provider,) = json.loads(account.extra["RINGFENCE_LOOKUP__PROVIDERS"])
    counts: Counter[str] = account.sandbox.lookups.billed_by(provider)
    while True:
        time.sleep(BOOKED_WITHIN_S)
        later: Counter[str] = account.sandbox.lookups.billed_by(provider)
        if later == counts:
            return counts
        counts = later


def test_a_run_that_is_killed_while_it_waits_leaves_the_answers_to_the_next_one(
    ordering: tuple[Account, Watched],
) -> None:
    account, watched = ordering
    killed_at(account, watched, FIRST_LOOK)
    ordered = billed(account)
    assert len(ordered) > 100

    last = finish(account).document
    assert last["complete"]
    assert (last["lookups"], last["lookups_lost"], last["lookups_waiting"]) == (0, 0, {})
    assert billed(account) == ordered
    assert set(ordered.values()) == {1}
    assert finish(account).document["lookups"] == 0


@pytest.mark.parametrize("ordering", ["clearoutphone"], indirect=True)
@pytest.mark.parametrize("request_killed_at", [PLACE, FILE])
def test_a_run_that_is_killed_while_it_fetches_a_file_fetches_it_in_the_next_one(
    ordering: tuple[Account, Watched], request_killed_at: int
) -> None:
    account, watched = ordering
    killed_at(account, watched, request_killed_at)
    ordered = billed(account)

    last = finish(account).document
    assert (last["lookups"], last["lookups_lost"], last["lookups_waiting"]) == (0, 0, {})
    assert billed(account) == ordered
    assert set(ordered.values()) == {1}


def test_an_order_whose_number_was_lost_is_counted_apart_and_not_placed_again(
    ordering: tuple[Account, Watched],
) -> None:
    account, watched = ordering
    killed_at(account, watched, ORDER)
    ordered = billed(account)

    last = finish(account).document
    assert last["lookups_lost"] == len(ordered) > 100
    assert billed(account) == ordered
    assert set(ordered.values()) == {1}


def test_a_run_that_is_asked_to_end_while_it_waits_leaves_the_answers_too(ordering: tuple[Account, Watched]) -> None:
    account, watched = ordering
    counted, processes = itertools.count(1), []

    def tell(_name: str) -> None:
        if next(counted) == FIRST_LOOK:
            processes[0].send_signal(signal.SIGTERM)

    processes.append(account.start("sync", account.crm, "--json"))
    watched.tell = tell
    ended = account.finish(processes[0])
    watched.tell = None

    assert ended.code == 143, ended.err
    assert finish(account).document["lookups"] == 0
    assert set(billed(account).values()) == {1}
