"""Lookup providers that are one request and a map: YAML files and their JSON Schema."""
