"""Who acts on the command line: docs/contract.md, section 4."""

from __future__ import annotations

import getpass
import socket


def find_author() -> str:
    """Return "user@host" of the process; a user without a name in the system goes by "unknown"."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user id that no file names
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
