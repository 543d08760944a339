"""How files of calls and messages are read: a YAML file for each kind of export, and their JSON Schema."""
