"""What the connectors share: retries, rate limits, first contact, batches, preflight findings. It knows no service."""
