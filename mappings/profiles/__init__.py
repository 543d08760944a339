"""How files of answers from platforms without an API are read."""
