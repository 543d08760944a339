"""Which fields of which object carry what: YAML files and their JSON Schema."""
