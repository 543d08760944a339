"""A plan for a person, on standard output: what weighs most comes first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..printable import printable
from .output import output

Document = Mapping[str, Any]
_OBJECT_COUNTS = (
    ("changes", "changes"),
    ("flags_raised", "flags up"),
    ("phones_rewritten", "phones rewritten"),
    ("slots_invalid", "invalid"),
    ("slots_silenced", "silenced"),
    ("slots_other", "other slots"),
)


def say_plan(
    document: Document, flags: Iterable[Document], rewrites: Iterable[Document], most: int | None = None
) -> None:
    """Print a plan; of the two lists ``most`` rows are given, all of them where it is None."""
    _say_head(document)
    say_counts(document["objects"])
    totals = document["totals"]

    _say_title(f"Flags that would go up: {totals['flags_raised']:,}")
    for row in flags:
        _say_row(row["object"], f"{row['id']}  {row['field']}  {row['why']}".rstrip())
    _say_rest(totals["flags_raised"], most)

    _say_title(f"Phone fields that would be rewritten: {totals['phones_rewritten']:,}")
    for row in rewrites:
        _say_row(row["object"], f"{row['id']}  {row['field']}: {row['old']} → {row['new']}")
    _say_rest(totals["phones_rewritten"], most)

    say_groups(document)
    _say_costs(document["costs"])


def say_counts(objects: Mapping[str, Document]) -> None:
    """Print what would change, by object."""
    shown = [(name, title) for name, title in _OBJECT_COUNTS if name == "changes" or _any(objects, name)]
    rows = [[each, *(f"{counts[name]:,}" for name, _ in shown)] for each, counts in objects.items()]
    output.table("", ["object", *(title for _, title in shown)], rows, right=tuple(range(1, len(shown) + 1)))


def say_groups(document: Document) -> None:
    """Print the slots called invalid, the silenced ones and the rest, each kind with examples."""
    totals = document["totals"]
    _say_title(f"Numbers called invalid: {totals['slots_invalid']:,} slots")
    for group in document["invalid"]:
        _say_group(group["reason"], group)

    _say_title(f"Slots silenced: {totals['slots_silenced']:,}")
    for group in document["silenced"]:
        _say_group(group["why"], group)

    _say_title(f"The rest: {totals['slots_other']:,} slots")
    for group in document["moves"]:
        _say_group(f"{group['object']}: {name_move(group)}", group)


def name_move(group: Document) -> str:
    """Return how a status changes, in words."""
    if group["to"] is None:
        return "checked again, the status stays"
    return f"{group['from'] or 'nothing yet'} → {group['to'] or 'emptied'}"


def _say_head(document: Document) -> None:
    name = document["org_name"] or document["org"]
    output.say(f"Plan for {name} ({document['crm']}), made {document['created_at'][:16].replace('T', ' ')} UTC")
    output.say(f"by dry run {document['run_id']}. Nothing has been written yet.")
    if document["applied_by"]:
        output.say(f"It is applied already, by run {document['applied_by']}.", style="yellow")
    elif not document["applicable"]:
        output.say("It is more than a day old: to apply one, make a new plan.", style="yellow")
    else:
        until = document["good_until"][:16].replace("T", " ")
        output.say(f"Until {until} UTC this applies it:")
        output.say(f"  {document['command']}", whole=True)
    output.say()


def _say_title(text: str) -> None:
    output.say(f"\n{text}", style="bold")


def _say_group(title: str, group: Document) -> None:
    output.say(f"{group['slots']:>9,}  {title}")
    for row in group["examples"]:
        output.item(f"{row['id']}  {row['slot']} {row['content']}".rstrip(), mark=row["object"], style="dim")


def _say_row(mark: str, text: str) -> None:
    """Print a row of a list that may be long: a terminal breaks its lines between words, a file takes them quickly."""
    if output.out.is_terminal:
        output.item(text, mark=mark)
    else:
        output.write(printable(f"  {mark:7} {text}"))


def _say_rest(total: int, most: int | None) -> None:
    if most is not None and total > most:
        output.say(f"  and {total - most:,} more: --limit {total}, or --csv FILE, --html FILE", style="dim")


def _say_costs(costs: Document) -> None:
    _say_title("What applying it costs")
    output.say(f"{costs.get('api_calls', 0):,} API calls at least, to read again and to write")
    waiting = costs.get("records_waiting_for_lookups", 0)
    if lookups := costs.get("lookups", 0):
        output.say(
            f"no lookup: a plan buys none. {lookups:,} numbers would be looked up by a sync; "
            f"{waiting:,} records wait for that and are not in the plan."
        )


def _any(objects: Mapping[str, Document], name: str) -> bool:
    return any(counts[name] for counts in objects.values())
