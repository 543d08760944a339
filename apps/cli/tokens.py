"""``ringfence tokens``."""

from __future__ import annotations

from typing import Annotated

import typer

from ringfence.core.model.roles import Role

from ..operations.tokens import make_token, show_tokens, withdraw_token
from .door import open_door
from .exit_codes import DONE
from .options import Json, Verbose
from .output import output
from .start import begin_wired

tokens = typer.Typer(help="Who may call the service, and with which role.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the token is called, in lists and in the audit log.")]

_ROLES = ", ".join(role.value for role in Role)


@tokens.command("add")
def add(
    name: Name,
    role: Annotated[str, typer.Option("--role", metavar="R", help=f"What it may do: {_ROLES}.")],
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Make a token for a caller of the service, and print it: this once, for only a hash of it is kept.

    operator and compliance include viewer, admin all. form is for web pages, which anybody can read: the check of a
    number and nothing else.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    made, token = make_token(wiring, name, role, open_door())

    output.document({"name": made.name, "role": made.role.value, "token": token})
    output.say(token, whole=True)
    output.note(f"Keep it: it is not shown again. It has the role {made.role}.")
    return DONE


@tokens.command("list")
def list_(verbose: Verbose = False, json: Json = False) -> int:
    """List the tokens by name, with their roles and who made them; never the tokens themselves."""
    found = show_tokens(begin_wired(json=json, verbose=verbose))

    output.document(
        {
            "tokens": [
                {
                    "name": token.name,
                    "role": token.role.value,
                    "created_at": f"{token.created_at:%Y-%m-%dT%H:%M:%SZ}",
                    "author": token.author,
                }
                for token in found
            ]
        }
    )
    if not found:
        output.say("No token: only this machine can call the service.")
    rows = [[token.name, token.role.value, f"{token.created_at:%Y-%m-%d %H:%M}", token.author] for token in found]
    output.table("", ["name", "role", "made (UTC)", "by"], rows)
    return DONE


@tokens.command("revoke")
def revoke(name: Name, verbose: Verbose = False, json: Json = False) -> int:
    """Let a token count no more; a service that runs refuses it within five seconds."""
    wiring = begin_wired(json=json, verbose=verbose)
    withdraw_token(wiring, name, open_door())

    output.document({"revoked": name})
    output.say(f"{name} counts no more")
    return DONE
