"""Plan files: what a dry run would write, kept so that just that can be applied later.

A file is one JSON document, a batch of changes a line. Beside each batch's masked changes, for reading, stands the
same batch encrypted, for applying. The last line seals all bytes before it, the head and the readable half included,
with a key of the state store: who wants other changes applied, or these later, has to make a plan of their own.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from ..errors import ErrorCode, FileError, UsageError
from ..model.masking import mask_change
from ..model.shapes import ObjectShape
from ..model.values import Change
from ..state.change_codec import pack_changes, unpack_changes
from ..state.keyring import Keyring
from ..state.private_files import open_new, warn_if_open_to_others

FORMAT = 2
GOOD_FOR = timedelta(hours=24)
"""Age from which a plan is not applied any more: time for a review, not for the CRM to become another one."""

CLOCKS_APART = timedelta(hours=1)
"""By how much the clocks of the machines that make and apply a plan may differ."""

_BATCHES = b'"batches": [\n'
_END = b"],\n"
_SEAL = b'"seal": "hmac-sha256:'
_PURPOSE = "plan file"


@dataclass(frozen=True, slots=True)
class PlanHead:
    """Where a plan comes from: the dry run, its org, and when."""

    run_id: str
    org: str
    created_at: datetime

    def about(self, place: int) -> bytes:
        """Return what the batch at a place of this plan is bound to."""
        return f"batch {place} of the plan of {self.run_id} for {self.org} at {self.created_at.isoformat()}".encode()


class PlanWriter:
    """Writes a new plan file for its owner alone, and takes it away again unless it is completed.

    Use it as a context manager. A file that a killed process left has no seal and is applied by nobody.
    """

    def __init__(self, path: Path, head: PlanHead, shapes: Mapping[str, ObjectShape], keyring: Keyring) -> None:
        if os.path.lexists(path):
            raise _exists(path)
        self._path = path
        self._head = head
        self._shapes = shapes
        self._keyring = keyring
        self._seal = keyring.authenticator(_PURPOSE)
        self._file: BinaryIO | None = None
        self._batches = 0
        self._costs: Mapping[str, Any] | None = None

    def __enter__(self) -> Self:
        with self._translated():
            self._file = os.fdopen(open_new(self._path), "wb")
        head = {
            "ringfence_plan": FORMAT,
            "run_id": self._head.run_id,
            "org": self._head.org,
            "created_at": self._head.created_at.isoformat(),
            "state": self._keyring.name,
        }
        self._write(json.dumps(head)[:-1].encode() + b",\n" + _BATCHES)
        return self

    def add(self, changes: Sequence[Change]) -> None:
        """Add a batch of changes."""
        masked = [mask_change(change, self._shapes[change.object]) for change in changes]
        sealed = self._keyring.seal(pack_changes(changes), self._head.about(self._batches))
        self._write((b",\n" if self._batches else b"") + _line(masked, base64.b64encode(sealed).decode()).encode())
        self._batches += 1

    def complete(self, costs: Mapping[str, Any]) -> None:
        """Say what applying the plan costs; without it the file is thrown away."""
        self._costs = costs

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is None:
            return
        is_whole = False
        # What ends the plan early matters more than a disk that has no room for the rest of it.
        with self._translated() if error is None else suppress(OSError):
            try:
                is_whole = self._finish(self._file, wanted=error is None and self._costs is not None)
            finally:
                if not is_whole:
                    self._path.unlink(missing_ok=True)

    def _finish(self, file: BinaryIO, *, wanted: bool) -> bool:
        """Close the file, with its end where it is ``wanted``; return whether it is whole."""
        with file:
            if wanted:
                self._write(b"\n" + _END + f'"costs": {json.dumps(self._costs)},\n'.encode())
                file.write(_SEAL + self._seal.hexdigest().encode() + b'"}\n')
        return wanted

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except FileExistsError:
            raise _exists(self._path) from None
        except OSError as error:
            raise FileError(f"{self._path} cannot be written: {error.strerror}.", "Name another place.") from error

    def _write(self, content: bytes) -> None:
        if self._file is None:
            raise ValueError("the plan is not open")
        self._seal.update(content)
        with self._translated():
            self._file.write(content)


def read_plan(path: Path, keyring: Keyring, now: datetime) -> tuple[PlanHead, Iterator[list[Change]]]:
    """Return where a plan comes from, and its changes, a batch in memory at a time.

    Raises FileError when the file cannot be read, was changed or belongs to another state store, UsageError when it is
    too old or dated ahead.
    """
    head = _verify(path, keyring)
    warn_if_open_to_others(path, "the plan")

    age = now - head.created_at
    if age > GOOD_FOR:
        raise UsageError(
            f"{path} was made more than {GOOD_FOR.total_seconds() / 3600:.0f} hours ago.", "Make a new plan."
        )
    if age < -CLOCKS_APART:
        raise UsageError(f"{path} is dated ahead of this machine's clock.", "Set the clock, or make a new plan.")
    return head, _batches(path, head, keyring)


def _verify(path: Path, keyring: Keyring) -> PlanHead:
    """Return the head of a plan file. Raises FileError unless the seal is this store's, over all bytes before it."""
    first, seal, stated = _read_seal(path, keyring)
    try:
        content = json.loads(first.rstrip().removesuffix(b",") + b"}")
        version, state = content["ringfence_plan"], content.get("state")
        head = PlanHead(content["run_id"], content["org"], datetime.fromisoformat(content["created_at"]))
    except (ValueError, KeyError, TypeError) as error:
        raise FileError(f"{path} is no plan file.", code=ErrorCode.NOT_A_PLAN_FILE) from error

    if version != FORMAT:
        raise FileError(f"{path} is a plan file of another version of ringfence.", "Make a new plan.")
    if state != keyring.name:
        raise FileError(
            f"{path} was made with another state store, so its seal cannot be checked.",
            "Use the state store of its dry run, or make a new plan.",
        )
    if stated is None or not hmac.compare_digest(stated, seal):
        raise FileError(f"{path} was changed after it was made, or is cut short.", "Make a new plan.")
    return head


def _read_seal(path: Path, keyring: Keyring) -> tuple[bytes, bytes, bytes | None]:
    """Return the first line, the seal due to all lines before the last, and the seal that the last line states.

    The stated one is None where no line states it, or where something stands behind that line.
    """
    seal = keyring.authenticator(_PURPOSE)
    stated, first, rest = None, b"", b""
    try:
        with path.open("rb") as file:
            for line in file:
                first = first or line
                if line.startswith(_SEAL):
                    stated = line[len(_SEAL) :].partition(b'"')[0]
                    rest = file.read(1)
                    break
                seal.update(line)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}.", "Check the name.") from error

    return first, seal.hexdigest().encode(), None if rest else stated


def _batches(path: Path, head: PlanHead, keyring: Keyring) -> Iterator[list[Change]]:
    place = 0
    with path.open("rb") as file:
        for line in file:
            if not line.startswith(b'{"changes"'):
                continue

            try:
                sealed = base64.b64decode(json.loads(line.rstrip().removesuffix(b","))["sealed"], validate=True)
            except (ValueError, KeyError, binascii.Error) as error:
                raise FileError(f"{path} is damaged.", "Make a new plan.") from error
            yield list(unpack_changes(keyring.open(sealed, head.about(place))))
            place += 1


def _line(changes: Sequence[Mapping[str, Any]], sealed: str) -> str:
    """Return a batch as a line of JSON that a terminal can show: signs that it would obey are escaped."""
    content = {"changes": changes, "sealed": sealed}
    line = json.dumps(content, ensure_ascii=False)
    return line if line.isprintable() else json.dumps(content)


def _exists(path: Path) -> FileError:
    return FileError(f"{path} exists already.", "Name a new file, so that no plan is lost.")
