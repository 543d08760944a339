"""Calling what blocks from a loop, in a thread that nobody waits for in the end: the server may be away for long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


def aside(act: Callable[[], T], name: str = "ringfence-aside") -> asyncio.Future[T]:
    """Return the future of what is returned by a call in a thread of its own."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type] # None only where that is what was returned

    def call() -> None:
        result, fault = None, None
        try:
            result = act()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the future is awaited
            fault = error
        with suppress(RuntimeError):  # the loop is over, and nobody asks any more
            loop.call_soon_threadsafe(settle, result, fault)

    threading.Thread(target=call, name=name, daemon=True).start()
    return future
