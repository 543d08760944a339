"""A CRM in a dict: the proof that the port can be fulfilled, and the double of the tests."""
