"""Bulk API 2.0: jobs that Salesforce works on by itself.

In the order of the data, for reading: ``reader`` makes a query job (``query`` over the calls in ``jobs``), waits for it
and cuts its CSV pages (``csv_sheet``) into pages of records. For writing: ``writer`` fills the file of an update job
(``update_sheet``, made by ``csv_sheet``), uploads it (``ingest`` over ``jobs``) and reads each row's result.
"""
