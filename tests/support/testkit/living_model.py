"""The model of what must be: what people typed stands, no flag goes down, and every slot says what a first run says."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ringfence.core.numbers import read_number
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.state.store import Store, open_store

from .living_world import KEY, POLICY, SHAPES, Clock, Provider, World

JUDGED = ("status", "e164", "line_type", "screened_value")


class LivingModel:
    """Judges what a life of edits, runs and crashes has left in the CRM."""

    empty: Path
    file: Path
    clock: Clock
    crm: World
    provider: Provider
    store: Store
    typed: dict[str, dict[str, Any]]
    ever_covered: set[str]
    commit: Callable[[], None]  # lets the transactions under way come to their end
    sync: Callable[..., Summary | None]  # runs one sync; None where it was killed or interrupted

    def rows(self) -> Mapping[str, Mapping[str, Any]]:
        return self.crm.rows["people"]

    def note_covered(self) -> None:
        for row in self.rows().values():
            if row.get("optout"):
                self.ever_covered.update(_numbers(row))

    def told_by_the_crm(self) -> set[str]:
        """Return the numbers whose last bought answer, or the loss of it, stands in the CRM."""
        found = set()
        for row in self.rows().values():
            for role in ("phone", "mobile"):
                content, about = str(row.get(role) or "").strip(), row.get(f"rf_{role}_screened_value")
                number, reason = str(row.get(f"rf_{role}_e164")), str(row.get(f"rf_{role}_reason"))
                bought = self.provider.billed.get(number)
                told = reason.split(":")[0] in (
                    "live",
                    "out_of_service",
                    "unreachable",
                    "provider_invalid",
                    "inconclusive",
                )
                if told and bought and content and content == about and row[f"rf_{role}_last_screened"] >= bought:
                    found.add(number)

        return found

    def check_what_people_typed(self) -> None:
        assert set(self.rows()) == set(self.typed)
        for id_, typed in self.typed.items():
            row = self.rows()[id_]
            assert [name for name in ("name", "vip", "phone") if row.get(name) != typed.get(name)] == []
            mobile, cell = row.get("mobile"), typed.get("mobile")
            assert mobile == cell or mobile == read_number(str(cell), "US").e164, "an edit is lost"
            assert row.get("optout") or not typed.get("optout"), "a flag went down"

    def settle(self) -> None:
        """Let all be well again: then runs come to an end, and everything says what a first run would say."""
        self.provider.mood = "well"
        self.crm.refused = set()
        self.commit()
        self.finish()
        self.compare(exactly=False)
        self.sync(full=True)
        self.finish()
        self.compare(exactly=True)

    def finish(self) -> None:
        for _ in range(5):
            summary = self.sync()
            assert summary is not None
            if summary.complete and not summary.total("written") and not summary.waiting:
                return
        raise AssertionError(f"the runs do not come to an end: {summary}")

    def compare(self, *, exactly: bool) -> None:
        wanted = self.first_run()
        for id_, row in self.rows().items():
            assert bool(row.get("optout")) == bool(wanted[id_].get("optout")), f"flag of {id_}"
            for role in ("phone", "mobile"):
                said, should = ([one.get(f"rf_{role}_{name}") for name in JUDGED] for one in (row, wanted[id_]))
                silenced = said[0] == "do_not_contact"
                if row.get("vip"):
                    assert silenced or should[0] != "do_not_contact", f"{id_} {role}: not silenced"
                elif said != should and not self._may_differ(row, role, exactly=exactly):
                    why = row.get(f"rf_{role}_reason")
                    raise AssertionError(f"{id_} {role}: says {said}, should say {should}; {why}")

    def _may_differ(self, row: Mapping[str, Any], role: str, *, exactly: bool) -> bool:
        numbers, says = set(_numbers({role: row.get(role)})), row.get(f"rf_{role}_status")
        if numbers & self.provider.lost:
            return True
        # A slot that speaks again is planned without a lookup: the numbering plan's word stands until it has aged.
        told_offline = says == "valid" and str(row.get(f"rf_{role}_reason")).startswith("allocated")
        return bool(numbers & self.ever_covered) and (told_offline or (not exactly and says == "do_not_contact"))

    def first_run(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the rows as a first, unbroken run over bare records with an own state leaves them."""
        bare = World(self.clock)
        for id_, row in self.rows().items():
            bare.put("people", id_, **{name: value for name, value in row.items() if not name.startswith("rf_")})
        file = self.file.with_name("other.db")
        shutil.copy(self.empty, file)
        store = open_store(f"sqlite:///{file}", KEY)
        provider = Provider(self.clock, lambda _where: None)
        run_sync(SyncJob(bare, bare.identify(), SHAPES, store, POLICY, self.clock, [provider]), SyncOptions())
        store.close()
        return bare.rows["people"]


def _numbers(row: Mapping[str, Any]) -> list[str]:
    found = [read_number(str(row.get(role) or ""), "US") for role in ("phone", "mobile")]
    return [e164 for number in found for e164 in (number.e164, *number.others) if e164]


def check_counts(summary: Summary) -> None:
    for counts in summary.objects.values():
        assert counts.read == counts.skipped_recent + counts.due
        outcomes = counts.written + counts.unchanged + counts.conflicts + counts.failed + counts.deferred
        assert counts.due == outcomes
