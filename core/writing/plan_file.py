"""Plan files: what a dry run would write, kept so that just that can be applied later.

A file is one JSON document, a batch of changes a line. Beside each batch's masked changes, for reading, stands the
same batch encrypted, for applying. The last line holds the SHA-256 digest of all bytes before it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
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

FORMAT = 1
GOOD_FOR = timedelta(hours=24)
"""Age from which a plan is not applied any more: time for a review, not for the CRM to become another one."""

_BATCHES = b'"batches": [\n'
_END = b"],\n"
_DIGEST = b'"digest": "sha256:'


@dataclass(frozen=True, slots=True)
class PlanHead:
    """Where a plan comes from: the dry run, its org, and when."""

    run_id: str
    org: str
    created_at: datetime


class PlanWriter:
    """Writes a plan file beside its final place and moves it there when it is complete. Use as a context manager."""

    def __init__(self, path: Path, head: PlanHead, shapes: Mapping[str, ObjectShape], keyring: Keyring) -> None:
        if path.exists():
            raise FileError(f"{path} exists already.", "Name a new file, so that no plan is lost.")
        self._path = path
        self._head = head
        self._shapes = shapes
        self._keyring = keyring
        self._digest = hashlib.sha256()
        self._file: BinaryIO | None = None
        self._first = True
        self._costs: Mapping[str, Any] | None = None

    def __enter__(self) -> Self:
        with self._translated():
            handle = os.open(self._part(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file = os.fdopen(handle, "wb")
        head = {
            "ringfence_plan": FORMAT,
            "run_id": self._head.run_id,
            "org": self._head.org,
            "created_at": self._head.created_at.isoformat(),
        }
        self._write(json.dumps(head)[:-1].encode() + b",\n" + _BATCHES)
        return self

    def add(self, changes: Sequence[Change]) -> None:
        """Add a batch of changes."""
        masked = [mask_change(change, self._shapes[change.object]) for change in changes]
        sealed = base64.b64encode(self._keyring.seal(pack_changes(changes))).decode()
        line = json.dumps({"changes": masked, "sealed": sealed}, ensure_ascii=False)
        self._write((b"" if self._first else b",\n") + line.encode())
        self._first = False

    def complete(self, costs: Mapping[str, Any]) -> None:
        """Say what applying the plan costs; without it the file is thrown away."""
        self._costs = costs

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is None:
            return
        # What ends the plan early matters more than a disk that has no room for the rest of it.
        with self._translated() if error is None else suppress(OSError):
            try:
                self._finish(self._file, whole=error is None and self._costs is not None)
            finally:
                self._part().unlink(missing_ok=True)

    def _finish(self, file: BinaryIO, *, whole: bool) -> None:
        with file:
            if whole:
                self._write(b"\n" + _END + f'"costs": {json.dumps(self._costs)},\n'.encode())
                file.write(_DIGEST + self._digest.hexdigest().encode() + b'"}\n')
        if whole:
            self._part().replace(self._path)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise FileError(f"{self._path} cannot be written: {error.strerror}.", "Name another place.") from error

    def _part(self) -> Path:
        return self._path.with_name(self._path.name + ".part")

    def _write(self, content: bytes) -> None:
        if self._file is None:
            raise ValueError("the plan is not open")
        self._digest.update(content)
        with self._translated():
            self._file.write(content)


def read_plan(path: Path, keyring: Keyring, now: datetime) -> tuple[PlanHead, Iterator[list[Change]]]:
    """Return where a plan comes from, and its changes, a batch in memory at a time.

    Raises FileError when the file cannot be read or was edited, UsageError when it is too old.
    """
    head = _verify(path)
    if now - head.created_at > GOOD_FOR:
        raise UsageError(
            f"{path} was made more than {GOOD_FOR.total_seconds() / 3600:.0f} hours ago.", "Make a new plan."
        )
    return head, _batches(path, keyring)


def _verify(path: Path) -> PlanHead:
    """Return the head of a plan file. Raises FileError unless its digest is that of all bytes before it."""
    first, digest, stated = _digest(path)
    try:
        content = json.loads(first.rstrip().removesuffix(b",") + b"}")
        is_known = content["ringfence_plan"] == FORMAT
        head = PlanHead(content["run_id"], content["org"], datetime.fromisoformat(content["created_at"]))
    except (ValueError, KeyError, TypeError) as error:
        raise FileError(f"{path} is no plan file.", code=ErrorCode.NOT_A_PLAN_FILE) from error

    if not is_known or stated != digest:
        raise FileError(f"{path} was changed after it was made, or is cut short.", "Make a new plan.")
    return head


def _digest(path: Path) -> tuple[bytes, str, str | None]:
    """Return the first line, the digest of all lines before the last, and the digest that the last line states.

    The stated one is None where no line states it, or where something stands behind that line.
    """
    digest = hashlib.sha256()
    stated, first, rest = None, b"", b""
    try:
        with path.open("rb") as file:
            for line in file:
                first = first or line
                if line.startswith(_DIGEST):
                    stated = line[len(_DIGEST) :].partition(b'"')[0].decode("ascii", "replace")
                    rest = file.read(1)
                    break
                digest.update(line)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}.", "Check the name.") from error

    return first, digest.hexdigest(), None if rest else stated


def _batches(path: Path, keyring: Keyring) -> Iterator[list[Change]]:
    with path.open("rb") as file:
        for line in file:
            if not line.startswith(b'{"changes"'):
                continue

            try:
                sealed = base64.b64decode(json.loads(line.rstrip().removesuffix(b","))["sealed"], validate=True)
            except (ValueError, KeyError, binascii.Error) as error:
                raise FileError(f"{path} is damaged.", "Make a new plan.") from error
            yield list(unpack_changes(keyring.open(sealed)))
