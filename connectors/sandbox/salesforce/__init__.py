"""A Salesforce org on loopback: REST queries, rows, collections, Composite, describe, replication, set-up, OAuth.

It answers as the service does, refusals included, and is never bent to please a client. What it does not do: Bulk API,
relationship fields and aggregates other than COUNT in SOQL, sharing, triggers.
"""

from .app import salesforce_app
from .org import SalesforceOrg

__all__ = ["SalesforceOrg", "salesforce_app"]
