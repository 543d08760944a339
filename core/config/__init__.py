"""The files that users write: mappings and policies, read and checked."""
