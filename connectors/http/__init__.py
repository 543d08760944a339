"""What the connectors share in talking HTTP."""
