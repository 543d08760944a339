"""What a person is handed to review a plan or a run: rows that may be shown, a table, a page.

::

    rows        changes as rows, with links, masked unless revealed
    table       a row for each change, as CSV
    page        a plan as one HTML file
    new_file    where either is written
"""
