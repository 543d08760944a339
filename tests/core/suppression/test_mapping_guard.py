"""A mapping by which people who opted out would no longer be heard stops the run before it reads anything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.errors import MappingError
from ringfence.core.model.shapes import OptOutFlag
from testkit.memory_runs import Sync

LINE = "+1 415 555 0132"


@pytest.fixture
def opted_out(crm: MemoryCrm, sync: Sync) -> MemoryCrm:
    """Two holders of one number, one of whom has opted out, and a mobile besides."""
    crm.put("people", "asks", phone=LINE, mobile="+1 415 555 0177", optout=True)
    crm.put("people", "holds", phone=LINE)
    crm.fields["people"].add("stop")
    sync()
    return crm


def map_opt_out(crm: MemoryCrm, flag: OptOutFlag | None) -> None:
    crm.shapes = {"people": replace(crm.shapes["people"], opt_outs=(flag,) if flag else ())}


def statuses(crm: MemoryCrm) -> set[Any]:
    rows = crm.rows["people"].values()
    return {row[name] for row in rows for name in ("rf_phone_status", "rf_mobile_status") if row.get(name)}


@pytest.mark.parametrize("flag", [None, OptOutFlag("stop", (True,)), OptOutFlag("optout", ("yes",))])
@pytest.mark.parametrize("options", [{}, {"full": True}, {"dry_run": True}])
def test_a_mapping_without_the_flag_that_is_up_stops_the_run(
    opted_out: MemoryCrm, sync: Sync, flag: OptOutFlag | None, options: dict[str, bool]
) -> None:
    map_opt_out(opted_out, flag)
    reads = opted_out.calls["read"]

    with pytest.raises(MappingError, match=r"the flag is up on 2 of its records") as caught:
        sync(**options)

    assert "`opt_out`" in caught.value.remedy
    assert opted_out.calls["read"] == reads
    assert statuses(opted_out) == {"do_not_contact"}


def test_a_mapping_that_hears_more_than_before_goes_through(opted_out: MemoryCrm, sync: Sync) -> None:
    map_opt_out(opted_out, OptOutFlag("optout", ("Yes", True)))

    assert sync().complete

    assert statuses(opted_out) == {"do_not_contact"}


@pytest.mark.parametrize("options", [{}, {"full": True}, {"rescreen": True}])
def test_a_mapping_that_is_meant_to_have_no_flag_leaves_silent_what_is(
    opted_out: MemoryCrm, sync: Sync, options: dict[str, bool]
) -> None:
    map_opt_out(opted_out, None)

    assert sync(accept_opt_out_change=True, **options).complete

    assert statuses(opted_out) == {"do_not_contact"}


def test_where_nobody_has_opted_out_a_mapping_may_change_as_it_likes(crm: MemoryCrm, sync: Sync) -> None:
    crm.put("people", "p1", phone=LINE)
    sync()

    map_opt_out(crm, None)

    assert sync().complete
