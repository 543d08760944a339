"""``ringfence state erase`` and ``state export``: one number, for the person whose it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ringfence.core.model.blocks import Entry
from ringfence.core.model.masking import show_value
from ringfence.core.model.values import Value
from ringfence.core.numbers import Validity, mask_numbers
from ringfence.core.state.consents import GivenBy
from ringfence.core.state.erasure import Holder
from ringfence.core.state.evidence import Evidence
from ringfence.core.state.held_about import HeldChange, HeldExecution, HeldFact, HeldFlag, HeldReview

from ..operations.erasure import ErasedNumber, Held, erase_one, export_held
from ..operations.ledger_json import as_block
from .door import open_door
from .exit_codes import DONE
from .json_stream import write_document
from .options import Json, Number, Reason, Region, Verbose, Yes
from .output import output
from .phrases import name_day
from .start import begin_wired
from .state_rows import list_rows
from .suppress_text import describe_block


def erase(
    number: Number,
    reason: Reason,
    region: Region = None,
    yes: Yes = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Erase a number for good: answers of lookups, changes in the history, words on the suppression ledger.

    A keyed mark of it stays, so that no later sync or import brings it back: it is judged by rule, and never looked up
    again. What keeps it silent stays as well. Nothing is changed in the CRMs: the records that hold it are named.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    done = erase_one(wiring, number, reason, region, open_door(yes=yes))

    output.document(
        {
            "erased": dict(done.rows),
            "suppressed": done.suppressed,
            "number": done.number,
            "records": [as_record(record) for record in done.records],
            "overwritten": done.is_overwritten,
            "record": done.record,
        }
    )
    _show_erased(done)
    return DONE


def export(
    number: Number,
    region: Region = None,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Show all that is held about a number, the number in full: for the person whose it is.

    What was answered about it, entries and flags that silence it, lists it is on, records that hold it, and changes
    that runs have made. Every change of the history is opened for it. Other numbers are masked.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    with export_held(wiring, number, region, open_door()) as held:
        if json:
            write_document(_head(held), {"changes": (as_change(held, change) for change in held.changes)})
        else:
            _show_held(held)
    return DONE


def as_record(record: Holder) -> dict[str, str]:
    """Return a record of a CRM as JSON values."""
    return {"crm": record.account, "object": record.object, "id": record.id}


def as_fact(fact: HeldFact) -> dict[str, Any]:
    """Return an answer of a lookup as JSON values."""
    return {**fact._asdict(), "observed_at": fact.observed_at.isoformat()}


def as_whole_entry(entry: Entry) -> dict[str, Any]:
    """Return an entry of the ledger as JSON values, with all that was said."""
    return {
        "id": entry.id,
        "kind": entry.kind.value,
        "channel": entry.channel.value,
        "source": entry.source.value,
        "origin": entry.origin,
        "reason": entry.reason,
        "evidence": entry.evidence,
        "author": entry.author,
        "since": entry.since.isoformat(),
        "expires": entry.expires.isoformat() if entry.expires else None,
        "record": str(entry.record) if entry.record else None,
        "lifts": entry.lifts,
    }


def as_flag(flag: HeldFlag) -> dict[str, str]:
    """Return an opt-out flag as JSON values."""
    return {"crm": flag.account, "object": flag.object, "id": flag.id, "channel": flag.channel, "state": flag.state}


def as_consent(given: GivenBy) -> dict[str, Any]:
    """Return the consent that a record gives as JSON values."""
    said = given.consent
    at = said.at.isoformat() if said.at else None
    told = {"purposes": list(said.purposes), "at": at, "field": said.source}
    return {"crm": given.account, "object": given.object, "id": given.id, **told}


def as_review(review: HeldReview) -> dict[str, str | None]:
    """Return a question of the review queue as JSON values."""
    return {
        "crm": review.account,
        "object": review.object,
        "id": review.id,
        "reason": review.reason,
        "since": review.since.isoformat(),
        "resolution": review.resolution or None,
    }


def as_evidence(told: Evidence) -> dict[str, str | None]:
    """Return what somebody has told of the number as JSON values; other numbers in a message are masked."""
    return {
        "source": told.source,
        "outcome": told.outcome.value if told.outcome else None,
        "word": told.word.value if told.word else None,
        "code": told.code or None,
        "channel": told.channel.value,
        "occurred_at": told.occurred_at.isoformat(),
        "heard_at": told.heard_at.isoformat(),
        "said": mask_numbers(told.said) or None,
        "detail": mask_numbers(told.detail) or None,
        "record": str(told.record) if told.record else None,
    }


def as_execution(execution: HeldExecution) -> dict[str, str]:
    """Return a workflow's question as JSON values."""
    return {**execution._asdict(), "at": execution.at.isoformat()}


def as_change(held: Held, change: HeldChange) -> dict[str, Any]:
    """Return a change as JSON values; texts that hold another number are masked."""

    def show(value: Value) -> Any:
        return show_value(value, None, reveal=isinstance(value, str) and held.about.traces.are_in(value))

    fields = {item.field: {"old": show(item.old), "new": show(item.new)} for item in change.row.change.fields}
    return {
        "run_id": change.run_id,
        "at": change.at.isoformat(),
        "crm": change.account,
        "object": change.row.change.object,
        "id": change.row.change.id,
        "outcome": change.outcome,
        "fields": fields,
    }


def _head(held: Held) -> dict[str, Any]:
    return {
        "number": held.number,
        "erased_at": held.erased_at.isoformat() if held.erased_at else None,
        "suppressed": bool(held.blocks),
        "blocks": [as_block(block) for block in held.blocks],
        "facts": [as_fact(fact) for fact in held.facts],
        "entries": [as_whole_entry(entry) for entry in held.entries],
        "listings": [as_block(block) for block in held.listings],
        "flags": [as_flag(flag) for flag in held.flags],
        "records": [as_record(record) for record in held.records],
        "consents": [as_consent(given) for given in held.consents],
        "reviews": [as_review(review) for review in held.reviews],
        "evidence": [as_evidence(told) for told in held.evidence],
        "asked_check_at": asked.isoformat() if (asked := held.about.asked_at()) else None,
        "executions": [as_execution(execution) for execution in held.executions],
    }


def _show_erased(done: ErasedNumber) -> None:
    output.say(f"{done.number} erased - {list_rows(done.rows)}")
    if done.suppressed:
        output.say("It stays suppressed: a keyed mark of it is all that is kept for that.")
    for record in done.records:
        output.say(f"{record.account} {record.object} {record.id} holds it still: delete it there", style="yellow")
    if not done.is_overwritten:
        output.say("Another process uses the store: repeat this when it is done, so that no copy stays on the disk.")
    output.say("Backups, plan files and exported lists that were made before may hold it: they are yours to delete.")
    output.say(f"run {done.record}", style="dim")


def _show_held(held: Held) -> None:
    output.say(f"All that is held about {held.number}")
    if held.erased_at:
        output.say(f"It was erased on {name_day(held.erased_at)}: a keyed mark of it stays.")
    found = 0
    for title, lines in _parts(held):
        for place, line in enumerate(lines):
            if not place:
                output.say(f"\n{title}")
            output.say(f"  {line}")
            found += 1
    if not found:
        output.say("Nothing." if not held.erased_at else "Nothing else.")


def _parts(held: Held) -> Iterator[tuple[str, Iterator[str]]]:
    yield "What blocks it now", map(describe_block, held.blocks)
    yield "What was answered about it", (_describe_fact(fact) for fact in held.facts)
    yield "Entries on the suppression ledger, lifted ones included", (_describe_entry(each) for each in held.entries)
    yield "Lists of registers", map(describe_block, held.listings)
    yield "Opt-out flags", (f"{each.account} {each.object} {each.id}: {each.state}" for each in held.flags)
    yield "Records that hold it", (f"{each.account} {each.object} {each.id}" for each in held.records)
    yield "Consent given on records that hold it", map(_describe_consent, held.consents)
    yield "What people were asked", map(_describe_review, held.reviews)
    yield "What vendors and diallers have told", map(_describe_evidence, held.evidence)
    asked = [held.about.asked_at()]
    yield "A check of it that waits", (f"asked for on {name_day(at)}" for at in asked if at)
    yield "What workflows have asked", (f"{each.account} {each.id}: {each.state}" for each in held.executions)
    yield "Changes that runs have made", (_describe_change(held, each) for each in held.changes)


def _describe_fact(fact: HeldFact) -> str:
    known = fact.validity if fact.validity != Validity.UNKNOWN else None
    said = {"validity": known, "line": fact.line, "line type": fact.line_type, "code": fact.code or None}
    told = ", ".join(f"{name} {value}" for name, value in said.items() if value is not None)
    return f"{fact.observed_at:%Y-%m-%d %H:%M} UTC, {fact.source}: {fact.kind}{f', {told}' if told else ''}"


def _describe_review(review: HeldReview) -> str:
    about = f"{review.account} {review.object} {review.id}" if review.account else "the number"
    return f"{about}: {review.reason}"


def _describe_evidence(told: Evidence) -> str:
    what = told.outcome.value if told.outcome else "a message"
    code = f" {told.code}" if told.code else ""
    said = f": {mask_numbers(told.said)!r}" if told.said else ""
    return f"{told.occurred_at:%Y-%m-%d %H:%M} UTC, {told.source}: {what}{code}{said}"


def _describe_entry(entry: Entry) -> str:
    act = f"lifts entry {entry.lifts}" if entry.lifts else entry.kind.value
    said = f": {entry.reason}" if entry.reason else ""
    return f"{entry.since:%Y-%m-%d %H:%M} UTC, {entry.author}: {act}, channel {entry.channel.value}{said}"


def _describe_consent(given: GivenBy) -> str:
    since = f" since {name_day(given.consent.at)}" if given.consent.at else ""
    return f"{given.account} {given.object} {given.id}: {', '.join(given.consent.purposes) or 'all purposes'}{since}"


def _describe_change(held: Held, change: HeldChange) -> str:
    shown = as_change(held, change)
    fields = ", ".join(f"{name} = {each['new']}" for name, each in shown["fields"].items() if each["new"] is not None)
    record = f"{shown['crm']} {shown['object']} {shown['id']}"
    return f"{change.at:%Y-%m-%d %H:%M} UTC, {record}, {shown['outcome']}: {fields}"
