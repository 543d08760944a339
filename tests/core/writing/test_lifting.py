"""The last door before the CRM: a flag comes down by a lift's writer, and by no other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence import connectors
from ringfence.apps import cli
from ringfence.connectors.memory import MemoryCrm
from ringfence.core import errors
from ringfence.core.decisions.lowering import lowered
from ringfence.core.errors import RingfenceError
from ringfence.core.model.shapes import OptOutFlag
from ringfence.core.model.values import Change, FieldChange, Value
from ringfence.core.ports.crm import Crm
from ringfence.core.runs.mode import Deferring, Live, Rehearsal, RunMode, Sharing, Withholding
from ringfence.core.state.journal import Journal
from ringfence.core.state.store import Store
from ringfence.core.writing.lifting import LiftAuthority, LiftingWriter
from testkit.clock import SetClock

LOWERED = FieldChange("optout", True, False)
ROOMS = [Path(errors.__file__).parent, *map(Path, connectors.__path__), Path(cli.__file__ or "").parents[1]]
MODES = [Live(), Withholding(), Sharing(), Deferring(), Rehearsal()]
on_sqlite = pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)


@pytest.fixture
def lifting(crm: MemoryCrm, store: Store, clock: SetClock) -> LiftingWriter:
    crm.put("people", "1", phone="+14155552671", optout=True)
    authority = LiftAuthority("ann@desk", "clicked by mistake")
    return LiftingWriter(crm, crm.shapes, Journal(store, "run"), clock, authority, dry_run=True)


@pytest.mark.parametrize(
    "mode", [Live(), Withholding(), Sharing(), Deferring(), Rehearsal()], ids=lambda m: type(m).__name__
)
def test_no_other_writer_lowers_a_flag(crm: Crm, store: Store, clock: SetClock, mode: RunMode) -> None:
    assert isinstance(crm, MemoryCrm)
    writer = mode.make_writer(crm, crm.shapes, Journal(store, "run"), clock)

    with pytest.raises(RingfenceError, match="would lower"):
        writer.apply([Change.of("people", "1", [LOWERED])])


@on_sqlite
@pytest.mark.parametrize(
    "item",
    [
        FieldChange("optout", False, True),
        FieldChange("optout", False, None),
        FieldChange("phone", "+14155552671", None),
        FieldChange("rf_phone_status", "do_not_contact", "valid"),
    ],
)
def test_a_lift_lowers_flags_and_touches_nothing_else(lifting: LiftingWriter, item: FieldChange) -> None:
    assert lifting.admit([Change.of("people", "1", [LOWERED])]) is False  # a dry run: there is nothing to send

    with pytest.raises(RingfenceError, match="would write"):
        lifting.admit([Change.of("people", "1", [LOWERED, item])])


@pytest.mark.parametrize("words", [("", "why"), ("ann", " ")])
def test_a_lift_has_a_person_and_a_reason(words: tuple[str, str]) -> None:
    with pytest.raises(RingfenceError, match="a person with a reason"):
        LiftAuthority(*words)


def test_the_authority_to_lower_flags_is_made_in_one_place() -> None:
    assert set(made("LiftAuthority")) == {"lift.py"}
    assert set(made("LiftingWriter")) == {"lift_account.py"}


def made(name: str) -> Iterator[str]:
    for path in (path for room in ROOMS for path in room.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(name):
                yield path.name


@pytest.mark.parametrize(
    ("flag", "present", "down"),
    [
        (OptOutFlag("f", (True,)), True, False),
        (OptOutFlag("f", (False,)), False, True),
        (OptOutFlag("f", ("Yes",)), "yes", None),
        (OptOutFlag("f", ("no_calls",), multiple=True), "vip; no_calls;no_email", "vip;no_email"),
        (OptOutFlag("f", ("no_calls",), multiple=True), "no_calls", None),
    ],
)
def test_what_lowers_a_flag_leaves_what_is_no_opt_out(flag: OptOutFlag, present: Value, down: Value) -> None:
    assert flag.is_up(present)
    assert lowered(flag, present) == down
    assert not flag.is_up(down)
