"""What the settings say that all lookup providers have."""

PRICE = "what one number costs, for previews and caps"
PACE = "calls a second, all processes together; unset: as fast as the provider answers"
