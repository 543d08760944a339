"""What the law gives callers time for, as dated rules: one YAML file a jurisdiction, and their JSON Schema."""
