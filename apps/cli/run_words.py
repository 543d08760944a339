"""Runs in words: what a run was, how it ended, and its line in the list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ringfence.core.model.run_outcome import RunOutcome
from ringfence.core.state.run_history import Run

_GO_ON = {"sync": "the next sync goes on from there", "": "run it again: answers that were paid for are kept"}
_ENDED = {
    RunOutcome.RUNNING: "running",
    RunOutcome.DONE: "done",
    RunOutcome.REFUSED_ROWS: "refused",
    RunOutcome.STOPPED: "stopped",
    RunOutcome.INTERRUPTED: "interrupted",
    RunOutcome.FAILED: "failed",
    RunOutcome.KILLED: "killed",
}


def run_as_json(run: Run) -> dict[str, Any]:
    """Return a run as JSON values."""
    return {
        "run_id": run.id,
        "crm": run.crm,
        "org": run.org,
        "what": name_kind(run),
        "dry_run": run.dry_run,
        "outcome": run.outcome.value,
        "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "error": run.error,
        "summary": run.summary,
    }


def list_row(run: Run) -> list[str]:
    """Return the run's line in the list: when, what, how it ended, records read and written, the end of its id."""
    ended = _ENDED[run.outcome]
    if run.outcome is RunOutcome.REFUSED_ROWS:
        ended = f"{refused(run):,} refused"
    return [f"{run.started_at:%Y-%m-%d %H:%M}", _what(run), ended, *_counts(run), run.id.rpartition("-")[2]]


def name_kind(run: Run) -> str:
    """Return what kind of run it was: sync, undo, apply, lift, woken, or the command that needed no CRM."""
    if run.org_id is None:
        return run.crm
    return next((kind for kind in ("undo", "apply", "lift", "woken") if kind in run.options), "sync")


def describe_kind(run: Run) -> str:
    """Return what the run was for, in words."""
    name = f"{run.org} ({run.crm})" if run.org else run.crm
    match name_kind(run):
        case "undo":
            words = f"undo of run {run.options['undo']} in {name}"
        case "apply":
            words = f"the plan of dry run {run.options['apply']}, applied to {name}"
        case "lift":
            words = f"lift of {run.options['lift']} in {name}"
        case "woken":
            words = f"sync of woken records of {name}"
        case "sync":
            words = f"sync of {name}"
        case other:
            words = f"{other} of {run.options.get('file') or run.options.get('number') or 'something'}"
    return f"dry run: {words}" if run.dry_run else words


def describe_outcome(run: Run) -> str:
    """Return how the run ended, why, and what comes next, in words."""
    go_on = _GO_ON["" if run.org_id is None else "sync"]
    match run.outcome:
        case RunOutcome.RUNNING:
            where = f", process {run.process.pid} on {run.process.host}" if run.process else ""
            return f"still running{where}"
        case RunOutcome.KILLED:
            return f"was killed; {go_on}"
        case RunOutcome.REFUSED_ROWS:
            return f"done, but the CRM refused {refused(run):,} records; they are tried again in the next run"
        case RunOutcome.DONE:
            complete = (run.summary or {}).get("complete", True)
            return "complete" if complete else f"done as far as its limit allowed; {go_on}"
        case _:
            error = (run.error or "no reason is on record").rstrip(".")
            return f"{_ENDED[run.outcome]}: {error}. {go_on[:1].upper()}{go_on[1:]}."


def describe_time(run: Run) -> str:
    """Return when the run began and how long it took."""
    began = f"{run.started_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{began}, took {_took(run.started_at, run.ended_at)}" if run.ended_at else began


def totals(run: Run, name: str) -> int:
    """Return one count of the run's summary over all objects; 0 where the run counts no such thing."""
    objects: Mapping[str, Mapping[str, Any]] = (run.summary or {}).get("objects", {})
    return sum(int(counts.get(name, 0)) for counts in objects.values())


def refused(run: Run) -> int:
    """Return how many records the CRM refused."""
    return int((run.summary or {}).get("failed", 0)) or totals(run, "failed")


def _what(run: Run) -> str:
    kind = name_kind(run)
    words = kind if run.org_id is None else f"{kind} {run.crm}"
    return f"dry {words}" if run.dry_run else words


def _counts(run: Run) -> list[str]:
    if run.summary is None:
        return ["", ""]
    if name_kind(run) in ("undo", "lift"):
        return ["", f"{run.summary.get('records', 0):,}"]
    if run.org_id is None:
        return ["", ""]
    return [f"{totals(run, 'read'):,}", f"{totals(run, 'written'):,}"]


def _took(began: datetime, ended: datetime) -> str:
    seconds = (ended - began).total_seconds()
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"
