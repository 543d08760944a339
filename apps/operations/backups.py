"""Back-ups of the state, and the way back."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url

from ringfence.core.errors import ErrorCode, FileError, SettingsError, StateError
from ringfence.core.state.audit import Act, AuditAction
from ringfence.core.state.backup import BackedUp, copy_state, put_back, seal_copy, unseal_copy
from ringfence.core.state.key_files import KeyFile
from ringfence.core.state.keyring import EncryptionKeys, key_id
from ringfence.core.state.sealed_file import read_head
from ringfence.core.state.store import Store, key_file, keys_given

from ..pages.new_file import new_file
from ..wiring import Wiring
from .audit import enter_act
from .door import Door


def back_up_state(wiring: Wiring, path: Path, door: Door) -> BackedUp:
    """Seal a copy of the whole state into a new file, and return what was found in that file afterwards.

    Syncs may go on meanwhile. Raises FileError where the file is there or cannot be written, and the state's errors.
    """
    if os.path.lexists(path):
        raise FileError(f"{path} exists already, and a back-up is never written over.", "Name a new file.")
    with closing(wiring.open_state()) as store, _scratch() as folder, new_file(path) as file:
        keys = _keys_of(wiring, store)
        copy_state(store, folder / "copy.db")
        seal_copy(folder / "copy.db", file, keys, store.keyring, wiring.clock.now())

        file.seek(0)
        found = unseal_copy(file, keys, folder / "restored.db", str(path))
        enter_act(store, wiring, door, AuditAction.BACKUP, path.name)
    _warn_of_log(found, door)
    return found


def restore_state(wiring: Wiring, path: Path, door: Door, *, replace: bool) -> BackedUp:
    """Put what a back-up holds in the place of the configured state, and return what it holds.

    All of the file is looked at before anything is changed. Raises FileError where it is no back-up or not as it was
    written, StateError where its key is not here, UsageError where the state holds anything unless to ``replace`` it,
    and BusyError while a run is at work on it.
    """
    url = wiring.settings.state_url
    try:
        with path.open("rb") as file, _scratch() as folder:
            wanted = str(read_head(file, str(path)).get("key"))
            keys = _find_keys(wiring, path, wanted)
            found = unseal_copy(file, keys, folder / "restored.db", str(path))
            _warn_of_log(found, door)

            act = Act(wiring.clock.now(), door.author, AuditAction.RESTORE, f"{path.name}, made at {found.made_at}")
            with door.progress(f"restore {path.name}") as progress:
                strangers = put_back(folder / "restored.db", keys, url, act, replace=replace, tell=progress.at)
        if strangers:
            door.warn(
                f"The state that was replaced is another one than {path.name} is of: its {strangers:,} erased numbers "
                "are not marked as erased in this one."
            )
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}.", "Name the file of a back-up.") from error
    return found


@contextmanager
def _scratch() -> Iterator[Path]:
    """Yield a folder for this process alone, which is gone after the block; what is put there is encrypted."""
    with tempfile.TemporaryDirectory(prefix="ringfence-backup-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _warn_of_log(found: BackedUp, door: Door) -> None:
    if found.broken_at is not None:
        door.warn(f"The audit log in the back-up is not as it was written, from entry {found.broken_at:,} on.")


def _keys_of(wiring: Wiring, store: Store) -> EncryptionKeys:
    if store.key_file is not None:
        return KeyFile(store.key_file.path).read()
    return keys_given(wiring.encryption_key(), wiring.settings.encryption_key_old)


def _find_keys(wiring: Wiring, path: Path, wanted: str) -> EncryptionKeys:
    """Return the key with that id, and another one that may be needed with it. Raises StateError where it is not here.

    A key that was put aside after a rotation is taken back beside the present one, which the state needs from then on.
    """
    url = make_url(wiring.settings.state_url)
    file = key_file(url)
    given = wiring.encryption_key()
    if given is not None:
        return _pick(path, wanted, [key for key in keys_given(given, wiring.settings.encryption_key_old) if key])
    if file is None:
        raise SettingsError("There is no encryption key.", code=ErrorCode.ENCRYPTION_KEY_MISSING)

    beside = KeyFile(file)
    found = beside.find(wanted)
    if found is None:
        raise _not_here(path, wanted)
    beside.take_back(found)
    return _pick(path, wanted, [key for key in beside.read() if key])


def _pick(path: Path, wanted: str, keys: Sequence[bytes]) -> EncryptionKeys:
    for key in keys:
        if key_id(key) == wanted:
            return EncryptionKeys(key, next((other for other in keys if other != key), None))
    raise _not_here(path, wanted)


def _not_here(path: Path, wanted: str) -> StateError:
    return StateError(
        f"{path} was made under the key {wanted}, which is not here. Nothing was changed.",
        code=ErrorCode.ENCRYPTION_KEY_MISMATCH,
    )
