"""A CRM in a dict: the proof that the port can be fulfilled, and the double of the tests."""

from .bulk import MemoryBulk, MemoryLoad
from .connector import MemoryCrm, MemoryFeed, companion_name

__all__ = ["MemoryBulk", "MemoryCrm", "MemoryFeed", "MemoryLoad", "companion_name"]
