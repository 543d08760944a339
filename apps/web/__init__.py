"""The web service: the door for workflows, flows, forms, and for whoever tells us about numbers."""
