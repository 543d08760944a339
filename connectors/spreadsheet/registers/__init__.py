"""Files of do-not-call registers: their layouts, told apart by what stands in them, and read in constant memory."""

from .opening import ListFile, ListFormat, ListPreview, open_list

__all__ = ["ListFile", "ListFormat", "ListPreview", "open_list"]
