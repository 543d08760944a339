"""The encryption key of the state, replaced by a new one."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ringfence.core.errors import ErrorCode, SettingsError
from ringfence.core.state.keyring import FOLLOWED_WITHIN_S
from ringfence.core.state.rotation import begin_rotation, count_left, finish_rotation, reseal_all
from ringfence.core.state.store import Store, keys_given, locked

from ..wiring import Wiring
from .door import Door


@dataclass(frozen=True, slots=True)
class RotatedKey:
    """How many payloads were sealed anew, by table, under the key of that id.

    ``put_aside`` is where the old key lies that was in a file; None where it was given.
    """

    rows: Counter[str]
    key: str
    put_aside: Path | None


def rotate_key(wiring: Wiring, door: Door) -> RotatedKey:
    """Encrypt all that the state holds under the new key; killed anywhere and called again, it goes on.

    The new and the old key are those of the settings; a key file beside the state is replaced by a new one. Raises
    SettingsError where only one key is given, BusyError while a run is at work that may know the old one alone.
    """
    with closing(wiring.open_state()) as store:
        if store.key_file is not None:
            with locked(store.engine.url):  # of two that rotate at once one makes the key
                keys = store.key_file.rotate()
            store.keyring.keep_up()
            wiring.clock.sleep(FOLLOWED_WITHIN_S)  # from then on every process seals under the new key
        else:
            keys = keys_given(wiring.encryption_key(), wiring.settings.encryption_key_old)
        if keys.old is None:
            raise SettingsError("There is only one encryption key.", code=ErrorCode.ENCRYPTION_KEY_OLD_MISSING)

        begin_rotation(store, keys, wiring.clock.now())
        rows = _reseal(store, door)
        finish_rotation(store, door.author, wiring.clock.now())
        put_aside = store.key_file.finish() if store.key_file else None
        return RotatedKey(rows, store.keyring.key_id, put_aside)


def _reseal(store: Store, door: Door) -> Counter[str]:
    total = count_left(store)
    with door.progress("rotating the key") as progress:
        return reseal_all(store, lambda done: progress.at(done, max(total, done)))
