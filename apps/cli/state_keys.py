"""``ringfence state rotate-key``."""

from __future__ import annotations

from ..operations.keys import RotatedKey, rotate_key
from .door import open_door
from .exit_codes import DONE
from .options import Json, Verbose
from .output import output
from .start import begin_wired


def rotate(verbose: Verbose = False, json: Json = False) -> int:
    """Encrypt all that is at rest under a new key, while syncs go on.

    Set the new key as RINGFENCE_ENCRYPTION_KEY and the one in use as RINGFENCE_ENCRYPTION_KEY_OLD, for every process,
    and start those again that run for long; then run this. Where the key lies in a file beside the state, a new one
    takes its place by itself. Killed anywhere, it goes on when it is run again.
    """
    done = rotate_key(begin_wired(json=json, verbose=verbose), open_door())

    output.document({"rotated": dict(done.rows), "key": done.key, "done": True})
    _show(done)
    return DONE


def _show(done: RotatedKey) -> None:
    output.say(f"rotated - {done.rows.total():,} payloads are encrypted anew; everything is under key {done.key}")
    if done.put_aside is None:
        output.say("Take RINGFENCE_ENCRYPTION_KEY_OLD out of the settings of every process.")
        output.say("Keep that key for as long as you keep back-ups that were made with it.", style="dim")
    else:
        output.say(f"The old key is kept as {done.put_aside}: back-ups that were made with it open with nothing else.")
        output.say("Delete it once you need none of them.", style="dim")
