"""``ringfence state backup`` and ``state restore``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ringfence.core.state.backup import BackedUp

from ..operations.backups import back_up_state, restore_state
from .door import open_door
from .exit_codes import DONE
from .options import Json, Verbose
from .output import output
from .start import begin_wired


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file; one that is there is never written over.")],
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Seal the whole state into a file, while syncs go on; the file is read once more and compared before it counts.

    The encryption key is not in it: without that key nobody opens the file, you included. Keep the two apart.
    """
    done = back_up_state(begin_wired(json=json, verbose=verbose), file, open_door())

    output.document({"backup": str(file), **_as_json(done), "verified": True})
    output.say(f"backed up into {file} - {sum(done.rows.values()):,} rows, {done.size / 1e6:,.1f} MB, verified")
    output.say(f"It opens with the encryption key {done.key} alone, which is not in it: keep that in another place.")
    return DONE


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `state backup` has written.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Put it in the place of what the state store holds now.")
    ] = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Put what a back-up holds into the state store: all of it, or nothing is changed.

    It needs the encryption key that the back-up was made under: set, printed by the command, or in the key file beside
    the state. What was done since then is not in it: the next sync reads from its older cursors. What the
    replaced state has erased stays erased.
    """
    done = restore_state(begin_wired(json=json, verbose=verbose), file, open_door(), replace=replace)

    output.document({"restored": _as_json(done)["rows"], "made_at": done.made_at, "key": done.key, "verified": True})
    output.say(f"restored from {file}, made at {done.made_at} - {sum(done.rows.values()):,} rows")
    if replace:
        output.say("The next sync reads from where that state was; what was erased since then stays erased.")
    else:
        output.say("The next sync reads from where that state was; numbers erased since then have to be erased again.")
    return DONE


def _as_json(done: BackedUp) -> dict[str, Any]:
    return {"rows": done.rows, "bytes": done.size, "key": done.key, "made_at": done.made_at}
