"""The contracts that connectors fulfil, and what they are handed."""
