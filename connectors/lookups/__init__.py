"""One module per carrier-lookup provider."""
