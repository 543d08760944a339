"""Numbers in, facts out: the suppression check, the numbering plan, what is known, the providers."""
