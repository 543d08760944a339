"""Changes to outcomes: journal, write, journal again; and what a killed run left."""
