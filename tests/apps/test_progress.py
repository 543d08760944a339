"""How far a command has come: a bar that fits its terminal, or a line now and then, true also while lookups go on."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import pytest
from rich.console import Console

from ringfence.apps.cli.progress import RunProgress, say_time

Pass = Callable[[float], None]


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Pass:
    """Let so many seconds pass."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def let_pass(seconds: float) -> None:
        now[0] += seconds

    return let_pass


@pytest.fixture
def console() -> Console:
    """Give a standard error that is a file."""
    return Console(file=io.StringIO(), width=80, soft_wrap=True)


def printed(console: Console) -> list[str]:
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue().splitlines()


@pytest.mark.parametrize(("width", "named"), [(80, False), (120, True)])
def test_the_bar_fits_its_terminal_with_every_figure_whole(width: int, named: bool, wait: Pass) -> None:
    console = Console(width=width, force_terminal=True, color_system=None, file=io.StringIO())
    progress = RunProgress(console, "dry run of salesforce")
    progress.phase("changed records", 1_000_000)
    wait(100)
    progress.advance(500_000)
    progress.bought(123_456, 2098.75, "USD")
    assert progress._bar is not None

    with console.capture() as captured:
        console.print(progress._bar.get_renderable())

    (line,) = captured.get().splitlines()
    assert len(line) <= width
    for figure in ("changed records", "500000/1000000", "123,456 lookups", "2,098.75 USD", "2 min left"):
        assert figure in line
    assert "…" not in line
    assert ("dry run of salesforce" in line) is named


def test_without_a_terminal_a_line_comes_now_and_then(console: Console, wait: Pass) -> None:
    progress = RunProgress(console, "screen people.csv")
    for done in range(1, 301):
        wait(1)
        progress.at(done * 10, 6_000)

    lines = printed(console)
    assert 5 <= len(lines) <= 12
    assert lines[0] == "screen people.csv: 50 of 6,000 rows (1%), 10 rows/s, 10 min left"


def test_while_lookups_go_on_it_says_how_many_and_what_they_cost(console: Console, wait: Pass) -> None:
    progress = RunProgress(console, "sync hubspot")
    progress.phase("changed records", 2_000)
    for bought in range(1, 61):
        wait(0.1)
        progress.bought(bought, bought * 0.017, "USD")

    (line,) = printed(console)
    assert line == "sync hubspot: changed records: 0 of 2,000 rows (0%), 50 lookups (10.0/s), 0.85 USD"


def test_the_time_left_passes_while_a_batch_of_lookups_goes_on(console: Console, wait: Pass) -> None:
    progress = RunProgress(console, "sync hubspot")
    progress.phase("changed records", 3_000)
    wait(100)
    progress.advance(1_000)
    wait(60)
    progress.bought(500, 8.5, "USD")

    first, later = printed(console)
    assert first.endswith("3 min left")
    assert later.endswith("2 min left")


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "1 s"), (40, "40 s"), (540, "9 min"), (7_500, "2 h 5 min"), (89, "89 s")]
)
def test_time_is_said_as_people_say_it(seconds: float, said: str) -> None:
    assert say_time(seconds) == said
