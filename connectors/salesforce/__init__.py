"""Salesforce as a CRM port."""
