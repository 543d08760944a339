"""The doors: they parse, call the core and print."""
