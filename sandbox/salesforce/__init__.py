"""A Salesforce org on loopback: REST queries, rows, collections, Composite, Bulk API 2.0, describe, set-up, OAuth.

It answers as the service does, refusals included, and is never bent to please a client. What it does not do: Bulk API
1.0, jobs that insert or delete, relationship fields and aggregates other than COUNT in SOQL, sharing, triggers.
"""

from .app import salesforce_app
from .org import SalesforceOrg

__all__ = ["SalesforceOrg", "salesforce_app"]
