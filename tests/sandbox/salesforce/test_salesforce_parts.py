"""The small parts: clock, ids, and the catalog of standard fields."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, get_args

import pytest

from ringfence.sandbox.clock import SandboxClock
from ringfence.sandbox.salesforce.ids import full_id, new_ids
from ringfence.sandbox.salesforce.schema import FieldType, standard_objects


def test_the_clock_runs_from_where_it_is_put() -> None:
    clock = SandboxClock(datetime(2030, 1, 1, tzinfo=UTC))
    clock.advance(90)
    ahead = clock.now() - datetime(2030, 1, 1, tzinfo=UTC)

    assert timedelta(seconds=90) <= ahead < timedelta(seconds=95)
    assert abs(SandboxClock().now() - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("given", "full"),
    [
        ("0034S000005YJVl", "0034S000005YJVlQAO"),  # the suffix of a recorded id
        ("0034S000005YJVlQAO", "0034S000005YJVlQAO"),
        ("0034S000005YJVlQAA", None),
        ("0034S000005YJV", None),
        ("0034S000005YJV!", None),
        ("", None),
    ],
)
def test_ids_are_checked_and_completed(given: str, full: str | None) -> None:
    assert full_id(given) == full


def test_ids_ascend() -> None:
    ids = list(islice(new_ids("003"), 5_000))

    assert ids == sorted(ids)
    assert [full_id(one[:15]) for one in ids[::100]] == ids[::100]


@pytest.mark.parametrize("kind", ["objects", "tooling"])
def test_the_catalog_uses_known_words(kind: Any) -> None:
    for spec in standard_objects(kind):
        assert len(spec.prefix) == 3

        for field in spec.fields.values():
            assert field.type in get_args(FieldType), field
            assert (field.type == "reference") is bool(field.targets), field
            assert not field.restricted or field.picklist, field
