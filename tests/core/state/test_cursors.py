"""Cursors: what they hold for, and the id of the org that they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ringfence.core.model.shapes import ObjectShape, OptOutFlag, Slot
from ringfence.core.ports.crm import Org
from ringfence.core.state import schema
from ringfence.core.state.cursors import Cursors, register_org
from ringfence.core.state.store import Store, open_store

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
ORG = Org("memory", "1", "One", production=False)
FLAGS = (OptOutFlag("optout", (True,)),)
SHAPES = {name: ObjectShape(name, (Slot("phone", {}),), FLAGS) for name in ("people", "firms")}


def test_a_cursor_holds_for_the_opt_out_and_the_phone_fields_that_were_mapped(store: Store) -> None:
    org_id = register_org(store, ORG)

    def read(**changed: Any) -> dict[str, str]:
        return Cursors(store, org_id, {"people": replace(SHAPES["people"], **changed)}).read()

    Cursors(store, org_id, SHAPES).move({"people": "here {1}", "firms": "there"}, NOW)

    assert read(filter="vip", spread_limit=1, region_field="country") == {"people": "here {1}"}
    assert read(opt_outs=()) == read(opt_outs=(OptOutFlag("stop", (True,)),)) == {}
    assert read(opt_outs=(OptOutFlag("optout", (True, "yes")),)) == {}
    assert read(slots=(*SHAPES["people"].slots, Slot("mobile", {}))) == {}


def test_a_cursor_without_a_digest_holds_for_any_fields(store: Store) -> None:
    # The first versions recorded none.
    cursors = Cursors(store, register_org(store, ORG), SHAPES)
    cursors.move({"people": "here"}, NOW)

    with store.transaction() as connection:
        connection.execute(sa.update(schema.cursors).values(mapping_digest=None))

    assert cursors.read() == {"people": "here"}


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Store]:
    """The same store as another process opens it."""
    opened = open_store(f"sqlite:///{tmp_path}/state.db")
    yield opened
    opened.close()


def test_first_runs_of_an_org_at_once_give_it_one_id(store: Store, beside: Store) -> None:
    theirs: list[int] = []

    def come_in_between(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO orgs") and not theirs:
            theirs.append(register_org(beside, ORG))

    sa.event.listen(store.engine, "before_cursor_execute", come_in_between)
    assert [register_org(store, ORG)] == theirs
