"""Numbers in, facts out: the cache, the numbering plan, the providers."""
