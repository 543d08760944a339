"""Connections that a worker keeps for the next part of a run, and when it lets go of them."""

from __future__ import annotations

from contextlib import suppress

import pytest

from ringfence.apps.operations import kept_connections
from ringfence.apps.operations.kept_connections import Bench, KeptConnections
from ringfence.connectors.memory import MemoryCrm
from testkit.clock import SetClock
from testkit.memory_runs import make_crm


class Made:
    """Makes benches, and knows which of them are closed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.crms: list[MemoryCrm] = []
        self.closed: list[int] = []
        monkeypatch.setattr(MemoryCrm, "close", lambda crm: self.closed.append(self.crms.index(crm)))

    def __call__(self) -> Bench:
        self.crms.append(make_crm(SetClock()))
        return Bench(self.crms[-1], [])


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    """Give what makes benches."""
    return Made(monkeypatch)


def use(kept: KeptConnections, made: Made, account: str, run_id: str) -> int:
    """Return the number of the bench that was lent."""
    with kept.lend(account, run_id, made) as bench:
        return next(number for number, crm in enumerate(made.crms) if crm is bench.crm)


def test_a_bench_is_lent_again_for_the_same_run_and_to_one_at_a_time(made: Made) -> None:
    kept = KeptConnections()

    with kept.lend("one", "run", made):
        assert use(kept, made, "one", "run") == 1

    assert use(kept, made, "one", "run") in (0, 1)
    assert len(made.crms) == 2
    kept.close()
    assert sorted(made.closed) == [0, 1]


def test_the_next_run_of_an_account_connects_anew_and_the_other_account_stays(made: Made) -> None:
    kept = KeptConnections()
    use(kept, made, "one", "run")
    use(kept, made, "two", "another")

    assert use(kept, made, "one", "next") == 2

    assert made.closed == [0]
    assert use(kept, made, "two", "another") == 1


def test_what_an_error_has_met_is_not_lent_again(made: Made) -> None:
    kept = KeptConnections()

    with suppress(RuntimeError), kept.lend("one", "run", made):
        raise RuntimeError

    assert made.closed == [0]
    assert use(kept, made, "one", "run") == 1


def test_no_more_are_kept_than_serve(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_connections, "MOST_KEPT", 2)
    kept = KeptConnections()

    for account in ("one", "two", "three"):
        use(kept, made, account, f"run of {account}")

    assert made.closed == [0]
    kept.close()
    assert sorted(made.closed) == [0, 1, 2]
