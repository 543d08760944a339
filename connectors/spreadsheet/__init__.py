"""CSV and Excel files in, CSV and Excel files out, over the same screening."""
