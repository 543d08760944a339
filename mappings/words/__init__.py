"""What people write to be left alone, by language: one YAML file, and its JSON Schema."""
