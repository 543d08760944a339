"""Plan files: what a dry run would write, kept so that just that can be applied later.

A file is one JSON document, a batch of changes a line. Beside each batch's masked changes, for reading, stands the
same batch encrypted, for applying. The last line seals all bytes before it, the head and the readable half included,
with a key of the state store: who wants other changes applied, or these later, has to make a plan of their own. It is
read by :mod:`.plan_reader`.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from ..errors import FileError
from ..model.field_roles import FieldRoles
from ..model.masking import mask_change
from ..model.shapes import ObjectShape
from ..model.values import Change
from ..state.change_codec import pack_changes
from ..state.keyring import Keyring
from ..state.private_files import open_new

FORMAT = 2
_BATCHES = b'"batches": [\n'
_END = b"],\n"
COSTS = b'"costs": '
SEAL = b'"seal": "hmac-sha256:'
PURPOSE = "plan file"


@dataclass(frozen=True, slots=True)
class PlanHead:
    """Where a plan comes from: the dry run, its org, and when.

    ``name`` is the org's name, ``address`` where a person finds its records; empty in plans that do not tell.
    """

    run_id: str
    org: str
    created_at: datetime
    name: str = ""
    address: str = ""

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
        self._seal = keyring.authenticator(PURPOSE)
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
            "name": self._head.name,
            "address": self._head.address,
            "state": self._keyring.name,
            "roles": FieldRoles.of(self._shapes).to_json(),
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
                self._write(b"\n" + _END + COSTS + json.dumps(self._costs).encode() + b",\n")
                file.write(SEAL + self._seal.hexdigest().encode() + b'"}\n')
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


def _line(changes: Sequence[Mapping[str, Any]], sealed: str) -> str:
    """Return a batch as a line of JSON that a terminal can show: signs that it would obey are escaped."""
    content = {"changes": changes, "sealed": sealed}
    line = json.dumps(content, ensure_ascii=False)
    return line if line.isprintable() else json.dumps(content)


def _exists(path: Path) -> FileError:
    return FileError(f"{path} exists already.", "Name a new file, so that no plan is lost.")
