"""Loopback stand-ins for Salesforce, HubSpot and Twilio Lookup."""
