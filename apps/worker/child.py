"""A command that a worker carries out, in a process of its own, which ends when its worker does."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

from .standing import carry_out_for_worker

_PR_SET_PDEATHSIG = 1
"""Of prctl(2): the signal that a process gets when the thread ends that started it."""

_LOOK_S = 1.0


def main() -> None:
    """Run the command line with the arguments behind the worker's process id, which come first."""
    worker = int(sys.argv[1])
    _end_with(worker)

    from ringfence.apps.cli import main as run_command  # noqa: PLC0415 - takes a while, in which the worker may end

    carry_out_for_worker()
    run_command(sys.argv[2:])


def _end_with(worker: int) -> None:
    """Have this process terminated once the worker is gone, killed or not."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    else:
        threading.Thread(target=_watch, args=(worker,), name="ringfence-watch", daemon=True).start()
    if os.getppid() != worker:
        sys.exit(128 + signal.SIGTERM)


def _watch(worker: int) -> None:
    while os.getppid() == worker:
        time.sleep(_LOOK_S)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
