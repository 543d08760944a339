"""What a first sync would set off and cost, for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ringfence.core.ports.survey import Automation, Survey

from ..operations.first_sync import FirstSync
from .forecast_text import describe_gap
from .output import output

NAMED = 5
"""Flows, triggers or rules of an object that are named; the document of --json has all."""


def say_automation(crm: str, survey: Survey) -> None:
    """Print what the CRM runs by itself on each record that a sync writes, and what of it nobody can tell."""
    if not survey.automation:
        return

    output.say("What a first sync will set off")
    places: dict[str, None] = {}
    for names, each in _alike(survey.automation):
        for line in _lines(each):
            output.item(f"{names}: {line}")
        places.update(dict.fromkeys(filter(None, each.where.split("; "))))
    if places:
        output.item(f"Look there: {'; '.join(places)}.")
    output.item(f"Start with `ringfence sync {crm} --limit 10`, and look at those ten records.")


def _alike(automation: Sequence[Automation]) -> Iterator[tuple[str, Automation]]:
    """Yield the objects' names with what is true of all of them: those of which the same is not known go together."""
    groups: dict[str, list[Automation]] = {}
    for each in automation:
        groups.setdefault(f"{each.names} {each.unknown}", []).append(each)
    for members in groups.values():
        where = "; ".join(each.where for each in members)
        yield " and ".join(each.object for each in members), replace(members[0], where=where)


def _lines(automation: Automation) -> Iterator[str]:
    for kind, names in automation.names.items():
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        yield f"{_counted(len(names), kind)}: {', '.join(names[:NAMED])}{more}."
    if automation.unknown:
        *rest, last = [f"{kind}s" for kind in automation.unknown]
        yield f"not known which {', '.join(rest)}{' and ' if rest else ''}{last}. {automation.remedy}"
    elif not automation.names:
        yield "nothing that is active runs on it."


def _counted(number: int, kind: str) -> str:
    return f"{number} {kind}{'' if number == 1 else 's'}"


def say_first_sync(cost: FirstSync) -> None:
    """Print what a sync that reads everything costs at most."""
    output.say("What a first sync costs, at most")
    output.item(_records(cost), mark="records")
    output.item(_calls(cost), mark="calls")
    output.item(_lookups(cost), mark="lookups")
    minutes = "not known" if cost.minutes is None else f"about {_counted(cost.minutes, 'minute')}"
    output.item(f"{minutes}; automation of the CRM comes on top.", mark="time")


def _records(cost: FirstSync) -> str:
    if cost.records is None:
        return "not known: the CRM does not tell how many there are."
    numbers = "" if cost.numbers is None else f", with {cost.numbers:,} phone numbers"
    return f"{cost.records:,}{numbers}, by the CRM's own count."


def _calls(cost: FirstSync) -> str:
    wanted = "not known" if cost.api_calls is None else f"about {cost.api_calls:,} API calls"
    if cost.calls_for_opt_outs:
        wanted += f", {cost.calls_for_opt_outs:,} of them for opt-outs that no query may ask for, in every full read"
    if cost.calls_left is None:
        return f"{wanted}."
    left = f"{cost.calls_left:,} of {cost.calls_a_day:,} a day are left"
    if cost.api_calls is not None and cost.api_calls > cost.calls_left:
        return f"{wanted}; only {left}: it stops when they are used up, and the next run goes on from there."
    return f"{wanted}; {left}."


def _lookups(cost: FirstSync) -> str:
    if not cost.providers:
        return "none: no lookup provider is configured."
    if cost.lookups is None:
        return f"not known how many; {', '.join(cost.providers)} would be asked."
    capped = ""
    if cost.cap is not None and cost.capped_by is not None:
        capped = f", which RINGFENCE_LOOKUP__{cost.capped_by.upper()} caps at {cost.cap:,} a run"
    if cost.unpriced:
        return f"{cost.lookups:,}{capped}; {'; '.join(map(describe_gap, cost.unpriced))}."
    return f"{cost.lookups:,} for {cost.cost:,.2f} {cost.currency}{capped}."
