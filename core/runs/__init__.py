"""A run from its lease to its last cursor: a sync, an applied plan, an undo."""
