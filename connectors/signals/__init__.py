"""Those who tell us about numbers: messaging providers, carriers, diallers. A module a vendor: verify, then read."""
