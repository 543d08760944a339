"""The findings of a preflight for a person: grouped by what they mean, and those that say the same in one entry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ringfence.core.ports.crm import Finding, Level

from .output import output


@dataclass(frozen=True, slots=True)
class Group:
    """Findings that mean the same for a sync: their name in JSON, their title, and the mark and colour of each."""

    name: str
    level: Level
    title: str
    mark: str
    style: str


GROUPS = (
    Group("stops", Level.PROBLEM, "What stops a sync", "problem", "red"),
    Group("meets", Level.WARNING, "What a sync will meet", "warning", "yellow"),
    Group("unknown", Level.UNKNOWN, "What cannot be known before", "unknown", "yellow"),
    Group("fine", Level.OK, "In order", "ok", "green"),
)


def group_of(finding: Finding) -> Group:
    """Return the group that a finding belongs to."""
    return next(group for group in GROUPS if group.level is finding.level)


def say_findings(findings: Sequence[Finding]) -> None:
    """Print the findings by their groups; one that is empty is left out."""
    for group in GROUPS:
        members = [finding for finding in findings if finding.level is group.level]
        if members:
            output.say(group.title)
        for alike in _alike(members):
            _say(alike, group)


def _alike(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """Yield those together that say the same of several fields of one object, in the order of their first ones."""
    kinds: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        kinds.setdefault((*_kind(finding), finding.remedy), []).append(finding)
    yield from kinds.values()


def _kind(finding: Finding) -> tuple[str, str]:
    """Return the object that a finding is about, and its message without the field's name."""
    owner, _, name = finding.subject.rpartition(".")
    return (owner, finding.message.replace(name, "")) if owner else (finding.subject, finding.message)


def _say(alike: Sequence[Finding], group: Group) -> None:
    first = alike[0]
    output.item(f"{first.subject}: {first.message}", mark=group.mark, style=group.style)
    if rest := [finding.subject.rpartition(".")[2] for finding in alike[1:]]:
        output.item(f"The same goes for {len(rest)} more: {', '.join(rest)}.", style=group.style)
    if first.remedy and first.level is not Level.OK:
        output.item(first.remedy)
