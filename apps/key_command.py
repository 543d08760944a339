"""The encryption key as a command prints it, such as that of a vault."""

from __future__ import annotations

import shlex
import subprocess
from functools import lru_cache

from ringfence.core.errors import SettingsError
from ringfence.core.state.keyring import parse_key

PATIENCE_S = 30
"""How long the command may take, in seconds: a vault that asks somebody first would keep every command waiting."""


@lru_cache(maxsize=1)  # a vault is asked once by a process, however often that opens the state
def print_key(command: str) -> str:
    """Return what the command prints; it is run as it stands, without a shell.

    Raises SettingsError where it cannot be run, fails, or prints no key; never with what it has printed.
    """
    try:
        words = shlex.split(command)
        done = subprocess.run(  # noqa: S603 - the command is the user's own setting
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S, check=False
        )
    except ValueError as error:
        raise _fault("cannot be read: a quotation mark is not closed") from error
    except (OSError, IndexError) as error:
        raise _fault(f"cannot be run: {getattr(error, 'strerror', None) or 'it is empty'}") from error
    except subprocess.TimeoutExpired:
        raise _fault(f"did not end within {PATIENCE_S} seconds") from None  # the error behind it holds the output

    if done.returncode:
        raise _fault(f"ended with exit code {done.returncode}")
    printed = done.stdout.decode("ascii", "replace").strip()
    try:
        parse_key(printed)
    except SettingsError:
        raise _fault("printed something other than base64 of 32 bytes" if printed else "printed nothing") from None
    return printed


def _fault(what: str) -> SettingsError:
    return SettingsError(
        f"The command of RINGFENCE_ENCRYPTION_KEY_COMMAND {what}.",
        "Run it by hand: it has to print the key, base64 of 32 bytes, and nothing else.",
    )
