"""Lookup providers that are one request and a map, declared in a YAML file instead of written in Python."""
