"""The command line: a module for each command, over ``output`` (what is printed) and ``door`` (what is asked)."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with the contract's code."""
    # Imported here so that a worker, which knows the exit codes of commands, needs none of the commands themselves.
    from .app import main as run_command  # noqa: PLC0415

    run_command(arguments)
