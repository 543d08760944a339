"""``ringfence providers export`` and ``import``: numbers and answers as files, for platforms without an API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..operations.providers import export_numbers, import_answers
from .exit_codes import DONE
from .options import Force, Json, Verbose
from .output import output
from .phrases import count
from .start import begin_wired


def export(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The provider without an API, such as itg.")],
    target: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="A new file, one number a line.")],
    force: Force = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Write the numbers that wait for the answers of a provider without an API, one E.164 a line.

    A sync with that provider in RINGFENCE_LOOKUP__PROVIDERS leaves them waiting. The file holds full numbers and is
    yours alone to read. Bring the answers back with `ringfence providers import`.

    Try: `ringfence providers export itg -o numbers.txt`.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    numbers = export_numbers(wiring, name, target, force=force)

    output.document({"provider": name, "numbers": numbers, "file": str(target)})
    output.say(f"{target}: {count(numbers, 'number')} that wait for {name}")
    if not numbers:
        output.say(f"None wait: a sync with {name} in RINGFENCE_LOOKUP__PROVIDERS asks for them.", style="dim")
    return DONE


def import_(
    file: Annotated[Path, typer.Argument(help="The file of answers that the platform gave you: CSV.")],
    profile: Annotated[
        str, typer.Option("--profile", metavar="NAME", help="How it is read: itg, or a file of yours in profiles/.")
    ],
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Take in the answers of a provider without an API; the next sync uses them.

    Numbers that nobody asked about are counted and left, words that nobody knows are listed and leave their numbers
    waiting. The same file a second time changes nothing.

    Try: `ringfence providers import answers.csv --profile itg`.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    done = import_answers(wiring, file, profile)

    output.document(done.to_json())
    output.say(
        f"{file}: {count(done.rows, 'row')}; {done.taken:,} answers taken, {done.known:,} known before, "
        f"{done.not_asked:,} that nobody asked about, {done.unreadable:,} unreadable, {done.unknown:,} of unknown words"
    )
    for word, times in done.unknown_values.most_common(10):
        output.say(
            f"  nobody knows the word {word!r} ({count(times, 'row')}): their numbers go on waiting", style="yellow"
        )
    if done.rows and done.not_asked == done.rows:
        output.say("None of these numbers waits for an answer: is it the file of another run?", style="yellow")
    return DONE
