"""A plan file: sealed over everything that a person reads in it, made for its owner alone, never through a link."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ringfence.core.errors import FileError, StateError, UsageError
from ringfence.core.model.field_roles import FieldRoles
from ringfence.core.model.shapes import ObjectShape, Slot
from ringfence.core.model.values import Change, Companion, FieldChange
from ringfence.core.state.keyring import Keyring
from ringfence.core.state.store import Store, open_store
from ringfence.core.writing import plan_file
from ringfence.core.writing.plan_file import PlanHead, PlanWriter
from ringfence.core.writing.plan_reader import open_plan, read_plan

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
HEAD = PlanHead("20261130-090000-aa11", "memory:1", NOW, "One", "https://one.example")
SHAPE = ObjectShape("people", (Slot("phone", {companion: f"rf_phone_{companion.value}" for companion in Companion}),))
Edit = Callable[[bytes], bytes]


def change(number: int) -> Change:
    return Change.of("people", f"p{number}", [FieldChange("rf_phone_status", "va\x9blid", "do_not_contact")])


def write(path: Path, store: Store, batches: int = 3) -> None:
    with PlanWriter(path, HEAD, {"people": SHAPE}, store.keyring) as plan:
        for number in range(batches):
            plan.add([change(number)])
        plan.complete({"records": batches})


@pytest.fixture
def plan(tmp_path: Path, store: Store) -> Path:
    path = tmp_path / "plan.json"
    write(path, store)
    return path


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/other.db")
    yield opened
    opened.close()


def test_a_plan_is_read_as_it_was_written_and_readable_as_json(plan: Path, store: Store) -> None:
    head, batches = read_plan(plan, store.keyring, NOW)

    assert head == HEAD
    assert list(batches) == [[change(number)] for number in range(3)]
    assert plan.stat().st_mode & 0o777 == 0o600
    assert json.loads(plan.read_text("utf-8"))["batches"][1]["changes"][0]["id"] == "p1"
    assert all(line.isprintable() for line in plan.read_text("utf-8").splitlines())


@pytest.mark.parametrize(
    "edit",
    [
        lambda content: content.replace(b"2026-11-30T09", b"2026-12-01T09", 1),
        lambda content: content.replace(b"memory:1", b"memory:2", 1),
        lambda content: content.replace(b"do_not_contact", b"active", 1),
        lambda content: content.replace(b'"records": 3', b'"records": 1', 1),
        lambda content: content[:-30],
        lambda content: content + b" ",
        lambda content: content[: content.index(b'"seal"')] + b'"seal": "hmac-sha256:\xff"}\n',
    ],
    ids=["date", "org", "readable half", "costs", "cut", "longer", "seal"],
)
def test_a_plan_that_was_changed_anywhere_is_refused(plan: Path, store: Store, edit: Edit) -> None:
    before = plan.read_bytes()
    plan.write_bytes(edit(before))

    assert plan.read_bytes() != before
    with pytest.raises(FileError, match=r"was changed after it was made, or is cut short"):
        read_plan(plan, store.keyring, NOW)


def test_a_plan_can_be_looked_at_again_and_again_whatever_its_age(plan: Path, store: Store) -> None:
    found = open_plan(plan, store.keyring)

    assert [one.id for one in found.changes()] == [one.id for one in found.changes()] == ["p0", "p1", "p2"]
    assert found.costs == {"records": 3}
    assert found.roles == FieldRoles.of({"people": SHAPE})
    assert found.good_until == NOW + timedelta(hours=24)


def test_a_plan_of_another_state_store_is_told_as_such(plan: Path, elsewhere: Store) -> None:
    with pytest.raises(FileError, match="made with another state store"):
        read_plan(plan, elsewhere.keyring, NOW)


def test_a_plan_of_before_a_rotation_says_that_the_key_was_rotated(tmp_path: Path) -> None:
    before, rotated = (Keyring(bytes([each]) * 32, bytes(32)) for each in (1, 2))
    with PlanWriter(tmp_path / "plan.json", HEAD, {"people": SHAPE}, before) as plan:
        plan.add([change(1)])
        plan.complete({})

    with pytest.raises(FileError, match="encryption key was rotated after"):
        list(open_plan(tmp_path / "plan.json", rotated).changes())


@pytest.mark.parametrize(
    ("later", "words"), [(timedelta(hours=25), "24 hours ago"), (-timedelta(hours=2), "ahead of this machine's clock")]
)
def test_the_sealed_date_decides_how_old_a_plan_is(plan: Path, store: Store, later: timedelta, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_plan(plan, store.keyring, NOW + later)


def test_a_batch_is_bound_to_its_place_in_its_plan(plan: Path, store: Store) -> None:
    first, second = (base64.b64decode(batch["sealed"]) for batch in json.loads(plan.read_text("utf-8"))["batches"][:2])

    with pytest.raises(StateError):
        store.keyring.open(second, HEAD.about(0))
    assert store.keyring.open(first, HEAD.about(0))


def test_a_planted_link_is_not_followed(tmp_path: Path, store: Store) -> None:
    victim, link = tmp_path / "victim", tmp_path / "plan.json"
    victim.write_text("mine", encoding="utf-8")
    link.symlink_to(victim)
    dangling = tmp_path / "dangling.json"
    dangling.symlink_to(tmp_path / "nowhere")

    for planted in (link, dangling):
        with pytest.raises(FileError, match="exists already"):
            write(planted, store)

    assert victim.read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "nowhere").exists()


def test_a_file_that_came_meanwhile_is_kept(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "plan.json"
    writer = PlanWriter(path, HEAD, {}, store.keyring)
    path.write_text("somebody else's", encoding="utf-8")

    with pytest.raises(FileError, match="exists already"), writer:
        pytest.fail("the file was opened")

    assert path.read_text(encoding="utf-8") == "somebody else's"


def test_a_plan_that_ends_early_leaves_nothing(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "plan.json"

    with pytest.raises(KeyError), PlanWriter(path, HEAD, {}, store.keyring) as plan:
        plan.add([change(1)])

    assert not path.exists()


def test_a_plan_that_others_may_read_is_warned_about(
    plan: Path, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    plan.chmod(0o644)

    read_plan(plan, store.keyring, NOW)

    (warning,) = caplog.records
    assert (warning.name, warning.levelno) == ("ringfence.core.state.private_files", logging.WARNING)
    assert warning.getMessage().startswith("the plan is open to other users")


def test_a_plan_of_an_earlier_version_is_told_as_such(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_file, "FORMAT", 1)
    write(tmp_path / "plan.json", store)
    monkeypatch.undo()

    with pytest.raises(FileError, match="another version"):
        read_plan(tmp_path / "plan.json", store.keyring, NOW)
