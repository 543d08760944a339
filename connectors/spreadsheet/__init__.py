"""CSV and Excel files in, CSV and Excel files out, over the same screening. Not a CRM: see the README beside this."""

from .columns import FoundColumn
from .detection import Detection, detect
from .marking import Mark, Marked, mark_file
from .options import ScreenOptions
from .roles import ColumnRole, preview_cell
from .screener import CellVerdict, Screener
from .screening import ColumnSummary, Progress, Summary, screen_file
from .target import default_target

__all__ = [
    "CellVerdict",
    "ColumnRole",
    "ColumnSummary",
    "Detection",
    "FoundColumn",
    "Mark",
    "Marked",
    "Progress",
    "ScreenOptions",
    "Screener",
    "Summary",
    "default_target",
    "detect",
    "mark_file",
    "preview_cell",
    "screen_file",
]
