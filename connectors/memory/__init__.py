"""A CRM and a lookup provider in memory: proof that the contracts can be fulfilled, and the doubles of the tests."""

from .bulk import MemoryBulk, MemoryLoad
from .connector import MemoryCrm
from .feed import MemoryFeed
from .lookup import MemoryLookup
from .schema import companion_name

__all__ = ["MemoryBulk", "MemoryCrm", "MemoryFeed", "MemoryLoad", "MemoryLookup", "companion_name"]
