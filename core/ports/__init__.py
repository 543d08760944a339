"""The contracts that connectors fulfil, and the services that they are given."""
