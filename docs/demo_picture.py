"""Draws ``docs/demo.svg``: what ``ringfence demo`` shows in a terminal. ``make picture`` calls it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH, HEIGHT = 100, 200
TARGET = Path(__file__).parent / "demo.svg"
_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def main() -> None:
    """Run the demo in a terminal of its own, and write the picture of what stands there at its end."""
    shown = run_in_terminal([str(Path(sys.executable).parent / "ringfence"), "demo"])

    console = Console(record=True, width=WIDTH, file=StringIO())
    console.print("$ ringfence demo", style="bold")
    console.print(Text.from_ansi(shown.replace("\r\n", "\n")))
    picture = console.export_svg(title="ringfence demo")

    # The fonts that rich names lie on somebody's server; the reader's own do as well.
    TARGET.write_text(_FONT_FACE.sub("", picture).replace("Fira Code, ", ""), encoding="utf-8")


def run_in_terminal(command: list[str]) -> str:
    """Return what a command writes to a terminal; its progress goes elsewhere. Raises CalledProcessError."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(WIDTH)}

    with subprocess.Popen(  # noqa: S603 - our own command, without a shell
        command, stdout=theirs, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        os.close(theirs)
        chunks = []
        while chunk := _read(ours):
            chunks.append(chunk)
    os.close(ours)

    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return b"".join(chunks).decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # how Linux says that nobody writes to the terminal any more
        return b""


if __name__ == "__main__":
    main()
