"""``ringfence openapi``."""

from __future__ import annotations

from json import dumps
from pathlib import Path
from typing import Annotated

import typer

from ringfence.core.errors import UsageError

from ..pages.new_file import new_file
from .exit_codes import DONE
from .options import Force, Json, Verbose
from .output import output
from .start import begin_wired


def openapi(
    openapi_version: Annotated[
        str, typer.Option("--openapi-version", metavar="V", help="3.1, or 3.0 with what Salesforce's flows may call.")
    ] = "3.1",
    target: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write it into a file instead.")
    ] = None,
    force: Force = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Print the description of the service's API as JSON, under RINGFENCE_SERVE__PUBLIC_URL.

    That in version 3.0 can be registered as an External Service in Salesforce.
    """
    # Imported here because the server takes a third of the start of every other command.
    from ..web.app import describe  # noqa: PLC0415
    from ..web.description import OpenApiVersion  # noqa: PLC0415

    wiring = begin_wired(json=json, verbose=verbose)
    try:
        wanted = OpenApiVersion(openapi_version)
    except ValueError:
        raise UsageError(
            f"The service is not described in OpenAPI {openapi_version}.", f"There are: {', '.join(OpenApiVersion)}."
        ) from None

    document = describe(wanted, wiring.settings.serve.address())
    text = dumps(document, indent=2)
    if target is None:
        output.write(text)
        return DONE
    with new_file(target, force=force) as file:
        file.write(f"{text}\n".encode())
    output.document({"file": str(target), "openapi": document["openapi"], "paths": len(document["paths"])})
    output.say(f"{target}: {len(document['paths'])} paths")
    return DONE
