"""Reads a plan file (:mod:`.plan_file`) whose seal holds: to apply it, or to show it to a person."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import ErrorCode, FileError, StateError, UsageError
from ..model.field_roles import FieldRoles
from ..model.values import Change
from ..state.change_codec import unpack_changes
from ..state.keyring import Keyring
from ..state.private_files import warn_if_open_to_others
from .plan_file import COSTS, FORMAT, PURPOSE, SEAL, PlanHead

GOOD_FOR = timedelta(hours=24)
"""Age from which a plan is not applied any more: time for a review, not for the CRM to become another one."""

_SEALED = b'"sealed": "'
CLOCKS_APART = timedelta(hours=1)
"""By how much the clocks of the machines that make and apply a plan may differ."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan file whose seal holds.

    ``roles`` tell what the fields of its changes are for, and are None in plans that do not tell; ``costs`` say what
    applying it costs.
    """

    path: Path
    head: PlanHead
    roles: FieldRoles | None
    costs: Mapping[str, Any]
    _keyring: Keyring

    @property
    def good_until(self) -> datetime:
        """Return the moment from which the plan is not applied any more, in UTC."""
        return self.head.created_at + GOOD_FOR

    def changes(self) -> Iterator[Change]:
        """Yield the changes in their order, as often as wanted, a batch in memory at a time."""
        for batch in self.batches():
            yield from batch

    def batches(self) -> Iterator[list[Change]]:
        """Yield the changes by batch. Raises FileError where one is not what the plan's head stands for."""
        place = 0
        with self.path.open("rb") as file:
            for line in file:
                if not line.startswith(b'{"changes"'):
                    continue

                try:
                    # The masked half in front of it is for readers of the file, and takes longer than all the rest.
                    text = line.rpartition(_SEALED)[2].rstrip().removesuffix(b",").removesuffix(b'"}')
                    sealed = base64.b64decode(text, validate=True)
                except binascii.Error as error:
                    raise FileError(f"{self.path} is damaged.", "Make a new plan.") from error
                yield self._open(sealed, place)
                place += 1

    def _open(self, sealed: bytes, place: int) -> list[Change]:
        try:
            return list(unpack_changes(self._keyring.open(sealed, self.head.about(place))))
        except StateError as error:
            if error.code is not ErrorCode.ENCRYPTION_KEY_LEFT_OUT:
                raise
            raise FileError(
                f"The encryption key was rotated after {self.path} was made.", "Make a new plan."
            ) from error


def read_plan(path: Path, keyring: Keyring, now: datetime) -> tuple[PlanHead, Iterator[list[Change]]]:
    """Return where a plan comes from, and its changes, a batch in memory at a time, to apply them.

    Raises FileError when the file cannot be read, was changed or belongs to another state store, UsageError when it is
    too old or dated ahead.
    """
    plan = open_plan(path, keyring)
    head = plan.head
    age = now - head.created_at
    if age > GOOD_FOR:
        raise UsageError(
            f"{path} was made more than {GOOD_FOR.total_seconds() / 3600:.0f} hours ago.", "Make a new plan."
        )
    if age < -CLOCKS_APART:
        raise UsageError(f"{path} is dated ahead of this machine's clock.", "Set the clock, or make a new plan.")
    return head, plan.batches()


def open_plan(path: Path, keyring: Keyring) -> Plan:
    """Return a plan whatever its age. Raises FileError unless the seal is this store's, over all bytes before it."""
    frame = _read_frame(path, keyring)
    try:
        content = json.loads(frame.first.rstrip().removesuffix(b",") + b"}")
        version, state = content["ringfence_plan"], content.get("state")
        head = PlanHead(
            content["run_id"],
            content["org"],
            datetime.fromisoformat(content["created_at"]),
            str(content.get("name", "")),
            str(content.get("address", "")),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise FileError(f"{path} is no plan file.", code=ErrorCode.NOT_A_PLAN_FILE) from error

    if version != FORMAT:
        raise FileError(f"{path} is a plan file of another version of ringfence.", "Make a new plan.")
    if state != keyring.name:
        raise FileError(
            f"{path} was made with another state store, so its seal cannot be checked.",
            "Use the state store of its dry run, or make a new plan.",
        )
    if frame.stated is None or not hmac.compare_digest(frame.stated, frame.seal):
        raise FileError(f"{path} was changed after it was made, or is cut short.", "Make a new plan.")
    warn_if_open_to_others(path, "the plan")
    roles = FieldRoles.from_json(content["roles"]) if "roles" in content else None
    costs = json.loads(frame.costs) if frame.costs else {}
    return Plan(path, head, roles, costs, keyring)


class _Frame(NamedTuple):
    """What stands around the batches: the first line, the costs, the seal that is due and the one that is stated.

    The stated one is None where no line states it, or where something stands behind that line.
    """

    first: bytes
    costs: bytes
    seal: bytes
    stated: bytes | None


def _read_frame(path: Path, keyring: Keyring) -> _Frame:
    """Return the frame of a plan file; its seal is due to all lines before the last."""
    seal = keyring.authenticator(PURPOSE)
    stated, first, costs, rest = None, b"", b"", b""
    try:
        with path.open("rb") as file:
            for line in file:
                first = first or line
                if line.startswith(SEAL):
                    stated = line[len(SEAL) :].partition(b'"')[0]
                    rest = file.read(1)
                    break
                if line.startswith(COSTS):
                    costs = line[len(COSTS) :].rstrip().removesuffix(b",")
                seal.update(line)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}.", "Check the name.") from error

    return _Frame(first, costs, seal.hexdigest().encode(), None if rest else stated)
