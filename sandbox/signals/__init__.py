"""Those who tell about numbers, as stand-ins: they send signed signals to a running service, and forged ones."""
