"""Carrier-lookup providers, one module each, over the pool that they share."""
