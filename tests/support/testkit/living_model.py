"""The model of what must be: what people typed stands, no flag goes down, and every slot says what a first run says.

Whose flag it is decides how far it reaches. ``asked`` holds the records whose flag people raised beyond doubt: the
first run that serves as the measure sees the flags of these alone. Whatever is silenced beyond that must have a cause.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ringfence.core.decisions.coverage import find_said
from ringfence.core.model.record_view import RecordView
from ringfence.core.model.values import Record
from ringfence.core.model.verdicts import OptOut
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
    asked: set[str]
    ever_asked: set[str]  # numbers that were once on a record with its flag up, by whomever it was raised
    ever_held: dict[str, set[str]]
    lowered: set[str]  # records whose flag people lowered, and the numbers that these ever held
    commit: Callable[[], None]  # lets the transactions under way come to their end
    sync: Callable[..., Summary | None]  # runs one sync; None where it was killed or interrupted

    def rows(self) -> Mapping[str, Mapping[str, Any]]:
        return self.crm.rows["people"]

    def note_covered(self) -> None:
        for id_, row in self.rows().items():
            held = keys_of(row)
            self.ever_held.setdefault(id_, set()).update(held)
            if row.get("optout") and self.is_asked(id_):
                self.ever_asked.update(held)

    def is_asked(self, id_: str) -> bool:
        """Return whether the flag may be somebody's, as far as people's acts tell."""
        return bool(self.typed.get(id_, {}).get("optout"))

    def raise_flag(self, id_: str) -> None:
        """Take in that somebody raises a flag; where ringfence had raised it before, nobody can tell them apart."""
        if not self.rows()[id_].get("optout") and id_ not in self.crm.derived:
            self.asked.add(id_)

    def lower_flag(self, id_: str) -> None:
        """Take in that somebody lowers a flag, which lifts what it ever asked for."""
        self.asked.discard(id_)
        self.lowered |= {id_, *self.ever_held.get(id_, ())}

    def forget_whose_flags(self) -> None:
        """Take in that the state is lost: what the slots tell of their flags is all that is left."""
        for id_, row in self.rows().items():
            if find_said(_view(id_, row)) is OptOut.SHARED:
                self.asked.discard(id_)

    def silent_slots(self) -> dict[tuple[str, str], str]:
        """Return the content of the slots that nobody may contact, by record and role."""
        return {
            (id_, role): str(row.get(role))
            for id_, row in self.rows().items()
            for role in ("phone", "mobile")
            if row.get(role) and row.get(f"rf_{role}_status") == "do_not_contact"
        }

    def check_silence(self, before: Mapping[tuple[str, str], str]) -> None:
        """Check that no slot speaks again, unless somebody lifted its opt-out or typed something else."""
        for (id_, role), content in before.items():
            row = self.rows().get(id_, {})
            if str(row.get(role)) == content and row.get(f"rf_{role}_status") != "do_not_contact":
                assert self.lowered & {id_, *self.ever_held[id_]}, f"{id_} {role} speaks though nobody lifted it"

    def told_by_the_crm(self) -> set[str]:
        """Return the numbers whose last bought answer, or the loss of it, stands in the CRM."""
        found = set()
        for row in self.rows().values():
            for role in ("phone", "mobile"):
                content, about = str(row.get(role) or "").strip(), row.get(f"rf_{role}_screened_value")
                number, reason = str(row.get(f"rf_{role}_e164")), str(row.get(f"rf_{role}_reason"))
                if number != read_number(content, region_of(row)).e164:
                    continue
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
            assert [name for name in ("name", "vip", "phone", "country") if row.get(name) != typed.get(name)] == []
            mobile, cell = row.get("mobile"), typed.get("mobile")
            assert mobile == cell or mobile in {read_number(str(cell), region).e164 for region in REGIONS}, (
                "an edit is lost"
            )
            assert row.get("optout") or not typed.get("optout"), "a flag went down"

    def check_enforced(self) -> None:
        """Whoever asked for silence has it after every run that nobody disturbed, whatever its provider did."""
        if self.crm.under_way:
            return  # what is committed late is read with the next run
        for id_ in self.asked - self.crm.refused:
            row = self.rows()[id_]
            speaks = [
                role
                for role in ("phone", "mobile")
                if str(row.get(role) or "").strip() and row.get(f"rf_{role}_status") != "do_not_contact"
            ]
            assert not speaks, f"{id_} asked for silence, and {speaks} speaks"

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
        wanted, reached = self.first_run(), self.reached()
        assert {id_ for id_, row in wanted.items() if row.get("optout")} == reached, "a first run reaches others"
        for id_, row in self.rows().items():
            flagged, should_be = bool(row.get("optout")), id_ in reached
            assert flagged >= should_be, f"flag of {id_} is not up"
            assert not flagged or should_be or self._has_cause(id_), f"flag of {id_} is up for nothing"
            for role in ("phone", "mobile"):
                self._compare_slot(id_, role, wanted[id_], exactly=exactly)

    def _compare_slot(self, id_: str, role: str, wanted: Mapping[str, Any], *, exactly: bool) -> None:
        row = self.rows()[id_]
        said, should = ([one.get(f"rf_{role}_{name}") for name in JUDGED] for one in (row, wanted))
        silenced = said[0] == "do_not_contact"
        assert silenced or should[0] != "do_not_contact", f"{id_} {role}: not silenced; {row}"
        if row.get("vip") or said == should or _is_respelt(row.get(role), said, should):
            return
        if silenced:
            assert row.get("optout") or self._has_cause(id_), f"{id_} {role}: silenced for nothing; {row}"
        elif not self._may_differ(row, role, exactly=exactly):
            why = row.get(f"rf_{role}_reason")
            raise AssertionError(f"{id_} {role}: says {said}, should say {should}; {why}")

    def _has_cause(self, id_: str) -> bool:
        """Return whether an opt-out may have reached the record by a number that it holds or held."""
        return self.is_asked(id_) or not self.ever_held.get(id_, set()).isdisjoint(self.ever_asked)

    def _may_differ(self, row: Mapping[str, Any], role: str, *, exactly: bool) -> bool:
        numbers, says = set(_numbers({**row, "phone": row.get(role), "mobile": ""})), row.get(f"rf_{role}_status")
        if numbers & self.provider.lost:
            return True
        # A slot that speaks again is planned without a lookup: the numbering plan's word stands until it has aged.
        told_offline = says == "valid" and str(row.get(f"rf_{role}_reason")).startswith("allocated")
        return told_offline and bool(self.ever_asked.intersection(keys_of(row)))

    def reached(self) -> set[str]:
        """Return the records that people's flags call to be flagged: their own, and the holders of their numbers."""
        covered = {key for id_ in self.asked for key in keys_of(self.rows()[id_])}
        return self.asked | {id_ for id_, row in self.rows().items() if not covered.isdisjoint(keys_of(row))}

    def first_run(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the rows as a first, unbroken run over bare records with an own state leaves them."""
        bare = World(self.clock)
        for id_, row in self.rows().items():
            plain = {name: value for name, value in row.items() if not name.startswith("rf_") and name != "optout"}
            bare.put("people", id_, **plain, optout=id_ in self.asked)
        file = self.file.with_name("other.db")
        shutil.copy(self.empty, file)
        store = open_store(f"sqlite:///{file}", KEY)
        provider = Provider(self.clock, lambda _where: None)
        run_sync(SyncJob(bare, bare.identify(), SHAPES, store, POLICY, self.clock, [provider]), SyncOptions())
        store.close()
        return bare.rows["people"]


REGIONS = ("US", "GB", "DE", None)


def region_of(row: Mapping[str, Any]) -> str | None:
    """Return the region that reads the numbers of a row."""
    return _view("", row).region()


def keys_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return all that an opt-out on the row covers."""
    return _view("", row).all_e164s()


def _view(id_: str, row: Mapping[str, Any]) -> RecordView:
    return RecordView(Record("people", id_, row), SHAPES["people"])


def _is_respelt(content: Any, said: list[Any], should: list[Any]) -> bool:
    """Return whether the slot differs from a first run's in one thing: what we normalised was written back since.

    `normalize` leaves such a cell as it is, while a first run, which knows nothing of it, rewrites it.
    """
    return said[:-1] == should[:-1] and should[-1] == said[1] and said[-1] == content


def _numbers(row: Mapping[str, Any]) -> list[str]:
    found = [read_number(str(row.get(role) or ""), region_of(row)) for role in ("phone", "mobile")]
    return [e164 for number in found for e164 in (number.e164, *number.others) if e164]


def check_counts(summary: Summary) -> None:
    for counts in summary.objects.values():
        assert counts.read == counts.skipped_recent + counts.due
        outcomes = counts.written + counts.unchanged + counts.conflicts + counts.failed + counts.deferred
        assert counts.due == outcomes
