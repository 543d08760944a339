"""What a file would cost to look up, found out without buying, keeping or writing anything."""

from __future__ import annotations

from pathlib import Path

from ringfence.connectors.spreadsheet.options import ScreenOptions
from ringfence.connectors.spreadsheet.screening import rehearse_file as rehearse_table
from ringfence.core.errors import ErrorCode, UsageError
from ringfence.core.screening.screening import Screening

from ..wiring import Wiring
from .door import Door
from .file_screening import CellScreener
from .lookup_rehearsal import LookupRehearsal, rehearse


def rehearse_file(
    wiring: Wiring,
    file: Path,
    options: ScreenOptions,
    door: Door,
    *,
    with_providers: bool = False,
    sandbox: bool = False,
) -> LookupRehearsal:
    """Return what screening a file would take; without ``with_providers`` it costs nothing. No file is written.

    Raises UsageError where no provider is configured then, FileError for a file that cannot be read, the errors of the
    wiring, and StateError.
    """
    if with_providers and not wiring.settings.lookup.providers:
        raise UsageError("Lookups are wanted, and no provider is configured.", code=ErrorCode.NO_PROVIDER)

    def look_up(screening: Screening) -> int:
        with door.progress(f"dry run of {file.name}") as progress:
            return rehearse_table(file, options, CellScreener(screening), progress.at, wiring.clock)

    return rehearse(wiring, look_up, with_providers=with_providers, sandbox=sandbox)
