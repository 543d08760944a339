"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output; progress goes to standard error.")
]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show on standard error what goes on, step by step.")]
CrmName = Annotated[
    str | None,
    typer.Argument(metavar="[CRM]", help="salesforce or hubspot; the account's name where RINGFENCE_ACCOUNTS is set."),
]
MappingFile = Annotated[
    Path | None,
    typer.Option("--mapping", metavar="FILE", help="A mapping that replaces the built-in one as a whole."),
]
Number = Annotated[str, typer.Argument(help="The number, in quotes; a national one with --region.")]
Region = Annotated[
    str | None, typer.Option("--region", metavar="R", help="Country of a national number: code or English name.")
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for whoever asks later; it is kept.")]
SandboxLedger = Annotated[
    bool,
    typer.Option("--sandbox", help="Ask the opt-outs of sandbox accounts instead of those of production accounts."),
]
LookupDryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Buy nothing, keep nothing and write no file; show what lookups would cost."),
]
AllowExpiredLists = Annotated[
    bool,
    typer.Option(
        "--allow-expired-lists", help="Go on though a do-not-call list that covers the numbers is too old; it is named."
    ),
]
Reveal = Annotated[bool, typer.Option("--reveal", help="Show full numbers, in files too.")]
Csv = Annotated[
    Path | None,
    typer.Option("--csv", metavar="FILE", help="Write a row for each change, with a link to the record, into a file."),
]
Force = Annotated[bool, typer.Option("--force", help="Write over files that are there already.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Answer yes to every question: for scripts.")]
